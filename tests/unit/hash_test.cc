#include "base/hash.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

HashSeed NewSeed(Random& random) { return {random.Next(), random.Next()}; }

// Chi-square of how `hashes` spread over the field of `bits` bits at `shift`, in standard deviations from
// what chance gives.
double Unevenness(const std::vector<uint64_t>& hashes, unsigned shift, unsigned bits) {
  std::vector<uint32_t> counts(size_t{1} << bits, 0);
  for (const uint64_t hash : hashes) ++counts[(hash >> shift) & (counts.size() - 1)];
  const double expected = static_cast<double>(hashes.size()) / static_cast<double>(counts.size());
  double sum = 0;
  for (const uint32_t count : counts) sum += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size() - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}

std::vector<std::string> KeysOfKind(int kind, int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) {
    switch (kind) {
      case 0: keys.push_back(std::to_string(i)); break;
      case 1: keys.push_back(fmt::format("key:{:012}", i)); break;
      case 2: keys.push_back(fmt::format("user:{}:session:data:of:some:length", i)); break;
      case 3:
        keys.push_back(
            std::string({static_cast<char>(i), static_cast<char>(i >> 8), static_cast<char>(i >> 16)}));
        break;
      default: keys.push_back(std::string(40, 'x') + fmt::format("{:08x}", i) + std::string(40, 'y')); break;
    }
  }
  return keys;
}

TEST_CASE("every field of the hash that the table uses is even for keys of every kind") {
  Random random(Catch::rngSeed());
  for (int kind = 0; kind < 5; ++kind) {
    const HashSeed seed = NewSeed(random);
    std::vector<uint64_t> hashes;
    for (const std::string& key : KeysOfKind(kind, 100000)) hashes.push_back(HashBytes(key, seed));
    INFO("kind " << kind << ", seed " << Catch::rngSeed());
    CHECK(Unevenness(hashes, 52, 12) < 6);  // directory
    CHECK(Unevenness(hashes, 60, 4) < 6);
    CHECK(Unevenness(hashes, 16, 8) < 6);  // tag
    CHECK(Unevenness(hashes, 0, 14) < 6);  // home, and its upper part, which chooses the bucket
    CHECK(Unevenness(hashes, 6, 10) < 6);
    CHECK(Unevenness(hashes, 12, 8) < 6);  // home and tag together
  }
}

TEST_CASE("keys of every length have different hashes, whatever they have in common") {
  Random random(Catch::rngSeed());
  const HashSeed seed = NewSeed(random);
  std::unordered_set<uint64_t> seen;
  size_t keys = 0;
  for (const char filler : {'\0', 'a', '\xff'}) {
    for (size_t length = 1; length <= 300; ++length, ++keys)
      seen.insert(HashBytes(std::string(length, filler), seed));
  }
  // Each byte of a key matters.
  for (size_t length : {3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100}) {
    for (size_t changed = 0; changed < length; ++changed, ++keys) {
      std::string key(length, 'b');
      key[changed] = 'c';
      seen.insert(HashBytes(key, seed));
    }
  }
  CHECK(seen.size() == keys);
  CHECK(seen.count(HashBytes("", seed)) == 0);
}

TEST_CASE("a hash depends on both halves of the seed, and on nothing else but the bytes") {
  Random random(Catch::rngSeed());
  const HashSeed seed = NewSeed(random);
  const std::string text = "some key of more than sixteen bytes";
  for (size_t length = 0; length <= text.size(); ++length) {
    const std::string_view key(text.data(), length);
    const uint64_t hash = HashBytes(key, seed);
    CHECK(hash == HashBytes(std::string(key), seed));
    CHECK(hash != HashBytes(key, {seed.first + 1, seed.second}));
    CHECK(hash != HashBytes(key, {seed.first, seed.second + 1}));
  }
  // Unaligned bytes count the same.
  const std::string shifted = "?" + text;
  CHECK(HashBytes(std::string_view(shifted).substr(1), seed) == HashBytes(text, seed));
}

TEST_CASE("flipping one bit of a key flips about half of the hash's") {
  Random random(Catch::rngSeed());
  const HashSeed seed = NewSeed(random);
  for (size_t length : {1, 3, 5, 8, 12, 16, 17, 40}) {
    uint64_t flipped = 0, rounds = 0;
    for (int i = 0; i < 200; ++i) {
      std::string key(length, '\0');
      for (char& c : key) c = static_cast<char>(random.Next());
      const uint64_t hash = HashBytes(key, seed);
      for (size_t bit = 0; bit < length * 8; ++bit, ++rounds) {
        key[bit / 8] = static_cast<char>(key[bit / 8] ^ (1 << bit % 8));
        flipped += static_cast<uint64_t>(__builtin_popcountll(hash ^ HashBytes(key, seed)));
        key[bit / 8] = static_cast<char>(key[bit / 8] ^ (1 << bit % 8));
      }
    }
    const double average = static_cast<double>(flipped) / static_cast<double>(rounds);
    INFO("length " << length << ", seed " << Catch::rngSeed());
    CHECK(average > 30);
    CHECK(average < 34);
  }
}

}  // namespace
}  // namespace pinyon
