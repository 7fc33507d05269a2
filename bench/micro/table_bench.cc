// The table alone: lookups that hit and miss, with and without prefetching a batch, insertion with growth,
// and removal. Argument: keys in the table. 1,000 fit the caches, 1,000,000 do not.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "keyspace/entry.h"
#include "keyspace/table.h"

namespace pinyon {
namespace {

constexpr HashSeed kSeed{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
// As many lookups as a turn of the loop has in flight.
constexpr size_t kBatch = 16;

std::string KeyOf(size_t number) {
  std::string key = "key:000000000000";
  for (size_t place = key.size(); number > 0; number /= 10)
    key[--place] = static_cast<char>('0' + number % 10);
  return key;
}

// Spreads consecutive numbers over [0, limit), so that neighbours in time are strangers in memory.
size_t Scatter(size_t step, size_t limit) { return step * 0x9e3779b97f4a7c15 % limit; }

void Add(Table& table, const std::string& key) {
  table.Insert(Entry::NewString(key, kNoExpiry, "a value of twenty-nine bytes.", Encoding::kEmbstr),
               table.Hash(key));
}

struct Filled {
  explicit Filled(size_t count) : table(kSeed) {
    keys.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      keys.push_back(KeyOf(i));
      Add(table, keys.back());
    }
  }
  Table table;
  std::vector<std::string> keys;
};

void BM_TableHash(benchmark::State& state) {
  const Table table(kSeed);
  const std::string key(static_cast<size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(table.Hash(key));
}
BENCHMARK(BM_TableHash)->Arg(8)->Arg(16)->Arg(32)->Arg(256);

void BM_TableFind(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  size_t step = 0;
  for (auto _ : state) {
    const std::string& key = filled.keys[Scatter(step++, filled.keys.size())];
    benchmark::DoNotOptimize(filled.table.Find(key, filled.table.Hash(key)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TableFind)->Arg(1000)->Arg(1000000);

void BM_TableFindMissing(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  std::vector<std::string> missing;
  for (size_t i = 0; i < filled.keys.size(); ++i) missing.push_back(KeyOf(i + filled.keys.size()));
  size_t step = 0;
  for (auto _ : state) {
    const std::string& key = missing[Scatter(step++, missing.size())];
    benchmark::DoNotOptimize(filled.table.Find(key, filled.table.Hash(key)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TableFindMissing)->Arg(1000)->Arg(1000000);

// What the turn does: hash all, prefetch buckets, prefetch entries, then look up.
void BM_TableFindBatch(benchmark::State& state) {
  const Filled filled(static_cast<size_t>(state.range(0)));
  size_t step = 0;
  const std::string* keys[kBatch];
  uint64_t hashes[kBatch];
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) {
      keys[i] = &filled.keys[Scatter(step++, filled.keys.size())];
      hashes[i] = filled.table.Hash(*keys[i]);
      filled.table.PrefetchBucket(hashes[i]);
    }
    for (const uint64_t hash : hashes) filled.table.PrefetchEntry(hash);
    for (size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(filled.table.Find(*keys[i], hashes[i]));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}
BENCHMARK(BM_TableFindBatch)->Arg(1000)->Arg(1000000);

// From empty, growth included; also says what the table itself takes for a key.
void BM_TableInsert(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back(KeyOf(i));
  size_t overhead_bytes = 0;
  for (auto _ : state) {
    auto table = std::make_unique<Table>(kSeed);
    for (const std::string& key : keys) Add(*table, key);
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
  size_t step = 0;
  for (auto _ : state) {
    const std::string& key = filled.keys[Scatter(step++, filled.keys.size())];
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
