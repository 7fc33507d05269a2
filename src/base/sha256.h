// SHA-256 (FIPS 180-4), for the password hashes of `user` lines: small rather than fast, some 200 MB/s.
#pragma once

#include <string>
#include <string_view>

namespace pinyon {

// The digest of `text` in 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

}  // namespace pinyon
