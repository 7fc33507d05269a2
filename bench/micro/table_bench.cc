// The table alone: lookups that hit and miss, with and without prefetching a batch, insertion with growth,
// and removal. Argument: keys in the table. 1,000 fit the caches, 1,000,000 do not.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "keyspace/entry.h"
#include "keyspace/table.h"

namespace pinyon {
namespace {

constexpr HashSeed kSeed{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
// As many lookups as a turn of the loop has in flight.
constexpr size_t kBatch = 16;

// Flat, so that reading the next key of a list costs no cache miss of its own.
struct Key {
  char text[16];
  operator std::string_view() const { return {text, sizeof text}; }  // NOLINT(google-explicit-constructor)
};

// Keys number `first` and up, in random order, so that neighbours in the list are strangers in the table.
std::vector<Key> Keys(size_t first, size_t count) {
  std::vector<Key> keys(count);
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(keys[i].text, "key:000000000000", sizeof keys[i].text);
    size_t place = sizeof keys[i].text;
    for (size_t number = first + i; number > 0; number /= 10) {
      keys[i].text[--place] = static_cast<char>('0' + number % 10);
    }
  }
  std::shuffle(keys.begin(), keys.end(), std::mt19937_64(7));
  return keys;
}

// Walks a list over and over.
class Cycle {
 public:
  explicit Cycle(const std::vector<Key>& keys) : keys_(keys) {}
  std::string_view Next() {
    if (next_ == keys_.size()) next_ = 0;
    return keys_[next_++];
  }

 private:
  const std::vector<Key>& keys_;
  size_t next_ = 0;
};

void Add(Table& table, std::string_view key) {
  table.Insert(Entry::NewString(key, kNoExpiry, "a value of twenty-nine bytes.", Encoding::kEmbstr),
               table.Hash(key));
}

struct Filled {
  explicit Filled(size_t count) : table(kSeed), keys(Keys(0, count)) {
    std::vector<Key> sorted = keys;
    // Not in the order of the lookups, or entries would lie in memory in the order in which they are asked
    // for.
    std::sort(sorted.begin(), sorted.end(), std::less<std::string_view>());
    for (const Key& key : sorted) Add(table, key);
  }
  Table table;
  std::vector<Key> keys;
};

void BM_TableHash(benchmark::State& state) {
  const Table table(kSeed);
  const std::string key(static_cast<size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(table.Hash(key));
}
BENCHMARK(BM_TableHash)->Arg(8)->Arg(16)->Arg(32)->Arg(256);

void BM_TableFind(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  Cycle keys(filled.keys);
  for (auto _ : state) {
    const std::string_view key = keys.Next();
    benchmark::DoNotOptimize(filled.table.Find(key, filled.table.Hash(key)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TableFind)->Arg(1000)->Arg(1000000);

void BM_TableFindMissing(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  const std::vector<Key> missing = Keys(filled.keys.size(), filled.keys.size());
  Cycle keys(missing);
  for (auto _ : state) {
    const std::string_view key = keys.Next();
    benchmark::DoNotOptimize(filled.table.Find(key, filled.table.Hash(key)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TableFindMissing)->Arg(1000)->Arg(1000000);

// What the turn does: hash all, prefetch buckets, prefetch entries, then look up.
void BM_TableFindBatch(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  Cycle keys(filled.keys);
  std::string_view batch[kBatch];
  uint64_t hashes[kBatch];
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) {
      batch[i] = keys.Next();
      hashes[i] = filled.table.Hash(batch[i]);
      filled.table.PrefetchBucket(hashes[i]);
    }
    for (const uint64_t hash : hashes) filled.table.PrefetchItem(hash);
    for (size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(filled.table.Find(batch[i], hashes[i]));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}
BENCHMARK(BM_TableFindBatch)->Arg(1000)->Arg(1000000);

// From empty, growth included; also says what the table itself takes for a key.
void BM_TableInsert(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  const std::vector<Key> keys = Keys(0, count);
  size_t overhead_bytes = 0;
  for (auto _ : state) {
    auto table = std::make_unique<Table>(kSeed);
    for (const Key& key : keys) Add(*table, key);
    overhead_bytes = table->OverheadBytes();
    state.PauseTiming();
    table.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
  state.counters["table_bytes_per_key"] = static_cast<double>(overhead_bytes) / static_cast<double>(count);
}
BENCHMARK(BM_TableInsert)->Arg(1000)->Arg(1000000)->Unit(benchmark::kMillisecond);

// One key out and in again: neither growth nor shrinking.
void BM_TableRemoveInsert(benchmark::State& state) {
  Filled filled(static_cast<size_t>(state.range(0)));
  Cycle keys(filled.keys);
  for (auto _ : state) {
    const std::string_view key = keys.Next();
    const uint64_t hash = filled.table.Hash(key);
    Entry* entry = filled.table.Remove(filled.table.Find(key, hash));
    filled.table.Insert(entry, hash);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TableRemoveInsert)->Arg(1000)->Arg(1000000);

void BM_TableScan(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  size_t visited = 0;
  for (auto _ : state) {
    uint64_t cursor = 0;
    do {
      cursor = filled.table.Scan(cursor, 100, [&visited](Entry*) { ++visited; });
    } while (cursor != 0);
  }
  state.SetItemsProcessed(static_cast<int64_t>(visited));
}
BENCHMARK(BM_TableScan)->Arg(1000)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pinyon
