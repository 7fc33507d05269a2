#include "check/repeated_keys.h"

#include <algorithm>

namespace pinyon {

uint64_t KeyHashes::HashOf(int database, std::string_view key) const {
  // The number goes into the seed, so that databases have nothing to do with each other.
  const auto number = static_cast<uint64_t>(database);
  return HashBytes(key, {seed_.first + number, seed_.second ^ (number * 0x9e3779b97f4a7c15)});
}

void KeyHashes::Add(int database, std::string_view key) {
  const uint64_t hash = HashOf(database, key);
  parts_[hash >> 56].push_back(hash);
}

std::vector<uint64_t> KeyHashes::TakeRepeated() {
  std::vector<uint64_t> repeated;
  for (std::vector<uint64_t>& part : parts_) {
    std::sort(part.begin(), part.end());
    for (size_t i = 1; i < part.size(); ++i) {
      const bool is_news = repeated.empty() || repeated.back() != part[i];
      if (part[i] == part[i - 1] && is_news) repeated.push_back(part[i]);
    }
    std::vector<uint64_t>().swap(part);
  }
  return repeated;
}

}  // namespace pinyon
