// SHA-1 (by OpenSSL), where a format asks for it; not for anything that must withstand an attacker.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

struct evp_md_st;
struct evp_md_ctx_st;

namespace pinyon {

using Sha1Digest = std::array<uint8_t, 20>;

// Keeps what OpenSSL needs from one digest to the next: looking that up costs more than a short text does.
class Sha1 {
 public:
  Sha1();
  ~Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;

  Sha1Digest operator()(std::string_view bytes);

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

}  // namespace pinyon
