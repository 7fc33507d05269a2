// SHA-256 (by OpenSSL), for digests of passwords.
#pragma once

#include <string>
#include <string_view>

namespace pinyon {

// The digest of `text` in 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

}  // namespace pinyon
