// Which elements have been seen: an open-addressed index over elements that are borrowed from elsewhere, so
// that telling doubles apart copies no bytes. Nothing is ever removed. A number and its decimal text are the
// same element.
//
// Costs: O(1); 32 bytes of element and 16 to 32 of index for each.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "types/listpack.h"

namespace pinyon {

class ElementIndex {
 public:
  explicit ElementIndex(const HashSeed& seed) : seed_(seed) {}

  size_t size() const { return elements_.size(); }
  const PackedElement& element(size_t place) const { return elements_[place]; }
  // The place of an element, by the order in which they came, and whether it is new.
  std::pair<size_t, bool> Insert(const PackedElement& element) {
    if ((elements_.size() + 1) * 2 > slots_.size()) Grow();
    const uint32_t hash = Hash(element);
    Slot& slot = slots_[Locate(element, hash)];
    if (slot.place != 0) return {slot.place - 1, false};
    PINYON_CHECK(elements_.size() < UINT32_MAX);
    elements_.push_back(element);
    slot = {hash, static_cast<uint32_t>(elements_.size())};
    return {elements_.size() - 1, true};
  }
  bool Contains(const PackedElement& element) const {
    return !slots_.empty() && slots_[Locate(element, Hash(element))].place != 0;
  }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t place;  // index in elements_ and one; 0: empty
  };

  uint32_t Hash(const PackedElement& element) const {
    PackedElement::Digits digits;
    return static_cast<uint32_t>(HashBytes(element.Text(digits), seed_) >> 32);
  }
  static bool Same(const PackedElement& a, const PackedElement& b) {
    if (a.is_integer && b.is_integer) return a.integer == b.integer;
    if (!a.is_integer) return b.Equals(a.text);
    return a.Equals(b.text);
  }
  // The slot of an element, or the empty one where it belongs.
  size_t Locate(const PackedElement& element, uint32_t hash) const {
    const size_t mask = slots_.size() - 1;
    size_t at = hash & mask;
    while (slots_[at].place != 0) {
      if (slots_[at].hash == hash && Same(elements_[slots_[at].place - 1], element)) break;
      at = (at + 1) & mask;
    }
    return at;
  }
  void Grow() {
    constexpr size_t kFirstSlots = 64;
    std::vector<Slot> slots(slots_.empty() ? kFirstSlots : slots_.size() * 2, Slot{0, 0});
    const size_t mask = slots.size() - 1;
    for (const Slot& slot : slots_) {
      if (slot.place == 0) continue;
      size_t at = slot.hash & mask;
      while (slots[at].place != 0) at = (at + 1) & mask;
      slots[at] = slot;
    }
    slots_.swap(slots);
  }

  HashSeed seed_;
  std::vector<PackedElement> elements_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace pinyon
