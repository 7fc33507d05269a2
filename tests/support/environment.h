// Numbers that whoever runs the tests may choose: seeds, to see a failure again, and how much is tried.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace pinyon::testing {

inline uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace pinyon::testing
