// Listpacks as small hashes and as the chunks of lists; intsets as small sets.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "types/intset.h"
#include "types/listpack.h"

namespace pinyon {
namespace {

// A hash of `fields` fields "field:N", with values of ten bytes.
void FillHash(PackedBlock& bytes, int64_t fields, bool integers) {
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  for (int64_t i = 0; i < fields; ++i) {
    const std::string number = std::to_string(100000 + i);
    pack.Append(integers ? number : "field:" + number);
    pack.Append("value" + number.substr(1));
  }
}

// Argument: the number of fields; every field in turn is looked for, so half are passed on average.
void BM_ListpackFindField(benchmark::State& state) {
  const bool integers = state.range(1) != 0;
  PackedBlock bytes;
  FillHash(bytes, state.range(0), integers);
  const ListpackView pack(bytes.data());
  std::vector<std::string> names;
  for (int64_t i = 0; i < state.range(0); ++i) {
    names.push_back((integers ? "" : "field:") + std::to_string(100000 + i));
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pack.Find(pack.First(), names[next], 1));
    if (++next == names.size()) next = 0;
  }
}
BENCHMARK(BM_ListpackFindField)->ArgsProduct({{1, 8, 128, 512}, {0, 1}})->ArgNames({"fields", "integers"});

void BM_ListpackReplaceValue(benchmark::State& state) {
  PackedBlock bytes;
  FillHash(bytes, 8, false);
  Listpack pack(bytes);
  const std::string values[2] = {"value-of-10", "value-of-another"};
  size_t next = 0;
  for (auto _ : state) {
    const auto field = pack.Find(pack.First(), "field:100004", 1);
    pack.Replace(pack.Next(field), values[next]);
    next ^= 1;
  }
}
BENCHMARK(BM_ListpackReplaceValue);

// A queue: elements of 20 bytes go in at the front and leave at the back of a chunk of 8 KiB.
void BM_ListpackPushPop(benchmark::State& state) {
  PackedBlock bytes;
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  const std::string element(20, 'e');
  while (pack.bytes() < static_cast<size_t>(state.range(0))) pack.Append(element);
  for (auto _ : state) {
    pack.Prepend(element);
    pack.Delete(pack.Last());
  }
}
BENCHMARK(BM_ListpackPushPop)->Arg(256)->Arg(8192);

void BM_ListpackFill(benchmark::State& state) {
  const std::string element(20, 'e');
  for (auto _ : state) {
    PackedBlock bytes;
    Listpack::InitEmpty(bytes);
    Listpack pack(bytes);
    for (int i = 0; i < 100; ++i) pack.Append(element);
    benchmark::DoNotOptimize(pack.bytes());
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(BM_ListpackFill);

void BM_ListpackValidate(benchmark::State& state) {
  PackedBlock bytes;
  FillHash(bytes, 128, false);
  for (auto _ : state) benchmark::DoNotOptimize(ListpackView::Validate(bytes.data(), bytes.size()));
}
BENCHMARK(BM_ListpackValidate);

// Argument: the size of the set.
void BM_IntsetContains(benchmark::State& state) {
  PackedBlock bytes;
  Intset::InitEmpty(bytes);
  Intset set(bytes);
  for (int64_t i = 0; i < state.range(0); ++i) set.Add(100000 + 3 * i);
  int64_t value = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.Contains(100000 + value));
    value = (value + 7919) % (3 * state.range(0));
  }
}
BENCHMARK(BM_IntsetContains)->Arg(8)->Arg(512);

}  // namespace
}  // namespace pinyon
