// The order of a large sorted set alone: insertion, moves near and far, ranks, the top ten. Argument: items
// in the tree. 100,000 fit the caches, 10 million do not; what is asked for lies anywhere.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "types/score_tree.h"
#include "types/scored_member.h"

namespace pinyon {
namespace {

// A member of 15 bytes.
ScoredMember* NewItem(size_t number, double score) {
  const std::string digits = std::to_string(number);
  return ScoredMember::New("member:" + std::string(8 - digits.size(), '0') + digits, score);
}

// Random scores, in random order.
struct FilledTree {
  explicit FilledTree(size_t count) : random(7) {
    for (size_t i = 0; i < count; ++i) {
      items.push_back(NewItem(i, random.Unit() * 1e6));
      tree.Insert(items.back());
    }
  }
  ~FilledTree() {
    tree.Clear();
    for (ScoredMember* item : items) ScoredMember::Delete(item);
  }
  ScoredMember* RandomItem() { return items[random.Below(items.size())]; }

  Random random;
  ScoreTree tree;
  std::vector<ScoredMember*> items;
};

// One for all measurements of a size, since filling ten million takes longer than measuring.
FilledTree& Filled(const benchmark::State& state) {
  static std::unique_ptr<FilledTree> filled;
  const auto count = static_cast<size_t>(state.range(0));
  if (filled == nullptr || filled->items.size() != count) {
    filled.reset();
    filled = std::make_unique<FilledTree>(count);
  }
  return *filled;
}

void BM_ScoreTreeRank(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  for (auto _ : state) {
    const ScoredMember* item = filled.RandomItem();
    benchmark::DoNotOptimize(filled.tree.Rank(item));
  }
}

void BM_ScoreTreeAt(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.tree.At(filled.random.Below(filled.items.size())).item());
  }
}

void BM_ScoreTreeTopTen(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  for (auto _ : state) {
    auto cursor = filled.tree.At(filled.items.size() - 1);
    for (int i = 0; i < 10; ++i, cursor.Previous()) {
      benchmark::DoNotOptimize(cursor.score());
      benchmark::DoNotOptimize(cursor->key());
    }
  }
}

void BM_ScoreTreeMoveNear(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  for (auto _ : state) {
    ScoredMember* item = filled.RandomItem();
    filled.tree.Move(item, item->score() + filled.random.Unit() * 0.1);
  }
}

void BM_ScoreTreeMoveFar(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  for (auto _ : state) filled.tree.Move(filled.RandomItem(), filled.random.Unit() * 1e6);
}

// Adds to what is there, at most by a tenth, and takes it out again.
void BM_ScoreTreeInsert(benchmark::State& state) {
  FilledTree& filled = Filled(state);
  std::vector<ScoredMember*> added;
  const auto take_out = [&] {
    for (ScoredMember* item : added) {
      filled.tree.Remove(item);
      ScoredMember::Delete(item);
    }
    added.clear();
  };
  for (auto _ : state) {
    added.push_back(ScoredMember::New("another member:", filled.random.Unit() * 1e6));
    filled.tree.Insert(added.back());
    if (added.size() < filled.items.size() / 10) continue;
    state.PauseTiming();
    take_out();
    state.ResumeTiming();
  }
  take_out();
}

// From empty; also says what the nodes take for an item.
void Fill(benchmark::State& state, double (*score)(Random&, size_t)) {
  const auto count = static_cast<size_t>(state.range(0));
  Random random(7);
  std::vector<ScoredMember*> items;
  for (size_t i = 0; i < count; ++i) items.push_back(NewItem(i, score(random, i)));
  double bytes = 0;
  for (auto _ : state) {
    ScoreTree tree;
    for (ScoredMember* item : items) tree.Insert(item);
    bytes = static_cast<double>(tree.MemoryBytes()) / static_cast<double>(count);
    state.PauseTiming();
    tree.Clear();
    state.ResumeTiming();
  }
  for (ScoredMember* item : items) ScoredMember::Delete(item);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
  state.counters["node_bytes_per_item"] = bytes;
}
void BM_ScoreTreeFillRandom(benchmark::State& state) {
  Fill(state, [](Random& random, size_t) { return random.Unit(); });
}
void BM_ScoreTreeFillAscending(benchmark::State& state) {
  Fill(state, [](Random&, size_t i) { return static_cast<double>(i); });
}
void BM_ScoreTreeFillTied(benchmark::State& state) {
  Fill(state, [](Random& random, size_t) { return static_cast<double>(random.Below(1000)); });
}

// By size, then by operation.
BENCHMARK(BM_ScoreTreeRank)->Arg(100'000);
BENCHMARK(BM_ScoreTreeAt)->Arg(100'000);
BENCHMARK(BM_ScoreTreeTopTen)->Arg(100'000);
BENCHMARK(BM_ScoreTreeMoveNear)->Arg(100'000);
BENCHMARK(BM_ScoreTreeMoveFar)->Arg(100'000);
BENCHMARK(BM_ScoreTreeInsert)->Arg(100'000);
BENCHMARK(BM_ScoreTreeRank)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeAt)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeTopTen)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeMoveNear)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeMoveFar)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeInsert)->Arg(10'000'000);
BENCHMARK(BM_ScoreTreeFillRandom)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ScoreTreeFillAscending)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ScoreTreeFillTied)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pinyon
