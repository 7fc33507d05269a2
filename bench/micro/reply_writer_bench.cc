// The reply writer alone, into a sink that throws everything away: what building a reply costs.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "base/shared_block.h"
#include "resp/reply_sink.h"
#include "resp/reply_writer.h"

namespace pinyon {
namespace {

void BM_ReplyOk(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  for (auto _ : state) {
    writer.Ok();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ReplyOk);

// Argument: the integer, from one digit to the most.
void BM_ReplyInteger(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  for (auto _ : state) {
    writer.Integer(state.range(0));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ReplyInteger)->Arg(1)->Arg(123456)->Arg(INT64_MIN);

// Argument: the bulk's length.
void BM_ReplyBulk(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  for (auto _ : state) {
    writer.Bulk(value);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ReplyBulk)->Arg(3)->Arg(64)->Arg(1024)->Arg(65536);

// By reference: must not depend on the length.
void BM_ReplyBlock(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  const BlockRef block(SharedBlock::New(static_cast<size_t>(state.range(0))));
  for (auto _ : state) {
    writer.BulkBlock(block.get());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ReplyBlock)->Arg(16384)->Arg(1048576);

void BM_ReplyDouble(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  writer.set_resp3(state.range(0) == 3);
  double value = 3.0000000001;
  for (auto _ : state) {
    writer.Double(value);
    value += 0.5;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ReplyDouble)->Arg(2)->Arg(3);

// Ten bulks in an array: MGET.
void BM_ReplyArray(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  const std::string value(64, 'v');
  for (auto _ : state) {
    writer.ArrayHeader(10);
    for (int i = 0; i < 10; ++i) writer.Bulk(value);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 10);
}
BENCHMARK(BM_ReplyArray);

void BM_ReplyError(benchmark::State& state) {
  NullSink sink;
  ReplyWriter writer(&sink);
  for (auto _ : state) {
    writer.Error("WRONGTYPE Operation against a key holding the wrong kind of value");
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ReplyError);

}  // namespace
}  // namespace pinyon
