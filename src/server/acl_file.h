// The file that aclfile names: read whole, and replaced whole or not at all. What its lines mean is the
// engine's to know (engine/acl.h).
#pragma once

#include <string>
#include <string_view>

namespace pinyon {

// Both return a text that says what went wrong, empty when nothing did.
std::string ReadAclFile(const std::string& path, std::string* text);
// Keeps the file's mode; a new one is for its owner alone, as it holds digests of passwords.
std::string WriteAclFile(const std::string& path, std::string_view text);

}  // namespace pinyon
