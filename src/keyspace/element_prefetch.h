// Asks memory ahead for what requests that wait will look up in large collections: the buckets of their
// elements, then the items, then, in a sorted set that is larger than the caches, where they stand in its
// order. Each step is given for all of them before the next, so that they wait for memory together, not in
// turn.
//
// It keeps addresses, so nothing may change between the first Add and Finish. A hint is a hint: what is not
// there, or not large, is skipped. Costs one search for the key, whose entry should be in the cache, and
// allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "keyspace/database.h"

namespace pinyon {

class ElementPrefetch {
 public:
  static constexpr size_t kMaxElements = 64;

  // An element (field, member) of the collection under a key, and, where it gets another score, the text of
  // that. Beyond kMaxElements it does nothing. The texts are borrowed until Finish.
  void Add(const Database& db, std::string_view key, uint64_t key_hash, std::string_view element,
           std::string_view new_score = {});
  // Takes the steps that are left, and forgets everything.
  void Finish();

 private:
  struct Element {
    ValueType type;
    const void* object;
    std::string_view text;
    std::string_view new_score;
    uint64_t hash;
  };

  void FetchPlaces();

  std::array<Element, kMaxElements> elements_;
  size_t count_ = 0;
};

}  // namespace pinyon
