#include "types/counted_tree.h"

#include <catch2/catch.hpp>
#include <deque>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

// The tree against a plain sequence of the same leaves.
struct TreeModel {
  CountedLeaf* NewLeaf(uint32_t count) {
    CountedLeaf& leaf = storage.emplace_back();
    leaf.count = count;
    return &leaf;
  }
  void Insert(size_t place, uint32_t count) {
    CountedLeaf* leaf = NewLeaf(count);
    tree.InsertAfter(place == 0 ? nullptr : sequence[place - 1], leaf);
    sequence.insert(sequence.begin() + static_cast<ptrdiff_t>(place), leaf);
  }
  void Remove(size_t place) {
    tree.Remove(sequence[place]);
    if (sequence[place]->parent != nullptr) FAIL("a removed leaf has a parent");
    sequence.erase(sequence.begin() + static_cast<ptrdiff_t>(place));
  }
  void Check(Random& random) const {
    tree.CheckInvariants();
    uint64_t total = 0;
    for (const CountedLeaf* leaf : sequence) total += leaf->count;
    for (int i = 0; i < 20 && total > 0; ++i) {
      const uint64_t wanted = random.Below(total);
      uint64_t before = 0;
      size_t place = 0;
      while (before + sequence[place]->count <= wanted) before += sequence[place++]->count;
      uint64_t index = wanted;
      if (tree.Find(&index) != sequence[place] || index != wanted - before) FAIL("index " << wanted);
    }
  }

  CountedTree tree;
  std::deque<CountedLeaf> storage;
  std::vector<CountedLeaf*> sequence;
};

TEST_CASE("a counted tree finds leaves by index through any changes", "[counted_tree]") {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    Random random(seed);
    TreeModel model;
    const size_t most = seed % 2 == 0 ? 3000 : 100;
    for (int phase = 0; phase < 6; ++phase) {
      const uint64_t insert_percent = phase % 2 == 0 ? 80 : 20;
      for (int step = 0; step < 3000; ++step) {
        const size_t size = model.sequence.size();
        if (random.Below(5) == 0 && size > 0) {
          CountedLeaf* leaf = model.sequence[random.Below(size)];
          model.tree.Add(leaf,
                         random.Below(2) == 0 ? 5 : -static_cast<int64_t>(random.Below(leaf->count + 1)));
        } else if (size == 0 || (size < most && random.Below(100) < insert_percent)) {
          model.Insert(random.Below(size + 1), static_cast<uint32_t>(random.Below(200)));
        } else {
          model.Remove(random.Below(size));
        }
        if (step % 50 == 0) model.Check(random);
      }
    }
    while (!model.sequence.empty()) model.Remove(random.Below(model.sequence.size()));
    CHECK(model.tree.empty());
    CHECK(model.tree.node_count() == 0);
  }
}

TEST_CASE("a counted tree built or emptied from one end keeps full nodes", "[counted_tree]") {
  Random random(7);
  for (const bool at_front : {true, false}) {
    TreeModel model;
    for (int i = 0; i < 10'000; ++i) model.Insert(at_front ? 0 : model.sequence.size(), 10);
    model.Check(random);
    CHECK(model.tree.node_count() < 10'000 / 28);
    while (model.sequence.size() > 100) model.Remove(at_front ? 0 : model.sequence.size() - 1);
    model.Check(random);
    while (model.sequence.size() > 1) model.Remove(at_front ? model.sequence.size() - 1 : 0);
    model.Check(random);
  }
}

TEST_CASE("insertions at one place in the middle of a counted tree split evenly", "[counted_tree]") {
  Random random(8);
  TreeModel model;
  for (int i = 0; i < 100; ++i) model.Insert(model.sequence.size(), 1);
  for (int i = 0; i < 5'000; ++i) model.Insert(31, 1);
  model.Check(random);
  CHECK(model.tree.node_count() < 5'000 / 12);
}

}  // namespace
}  // namespace pinyon
