// The request parser alone, over a buffer of pipelined requests as a read leaves it.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "resp/request_parser.h"

namespace pinyon {
namespace {

// As one read of a busy connection brings.
constexpr size_t kPipelined = 16;

std::string Request(const std::vector<std::string_view>& args) {
  std::string text = "*";
  text.append(std::to_string(args.size())).append("\r\n");
  for (const std::string_view arg : args) {
    text.append("$").append(std::to_string(arg.size())).append("\r\n").append(arg).append("\r\n");
  }
  return text;
}

std::string Repeat(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Parses everything in `bytes`, one request after the other, once an iteration.
void ParseAll(benchmark::State& state, const std::string& bytes) {
  RequestParser parser;
  const RequestParser::Limits limits;
  std::vector<std::string_view> args;
  int64_t requests = 0;
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (!rest.empty()) {
      size_t consumed = 0;
      args.clear();
      const RequestParser::Status status = parser.Parse(rest, limits, &consumed, &args);
      PINYON_CHECK(status == RequestParser::Status::kRequest);
      benchmark::DoNotOptimize(args.data());
      rest.remove_prefix(consumed);
      ++requests;
    }
  }
  state.SetItemsProcessed(requests);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void BM_ParseGet(benchmark::State& state) {
  ParseAll(state, Repeat(Request({"GET", "key:000000012345"}), kPipelined));
}
BENCHMARK(BM_ParseGet);

// Argument: the value's length.
void BM_ParseSet(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  ParseAll(state, Repeat(Request({"SET", "key:000000012345", value}), kPipelined));
}
BENCHMARK(BM_ParseSet)->Arg(3)->Arg(64)->Arg(4096);

// Argument: keys and values in one MSET.
void BM_ParseMset(benchmark::State& state) {
  std::vector<std::string_view> args = {"MSET"};
  for (int64_t i = 0; i < state.range(0); ++i) args.insert(args.end(), {"key:000000012345", "a value"});
  ParseAll(state, Request(args));
}
BENCHMARK(BM_ParseMset)->Arg(10)->Arg(1000);

void BM_ParseInline(benchmark::State& state) {
  ParseAll(state, Repeat("GET key:000000012345\r\n", kPipelined));
}
BENCHMARK(BM_ParseInline);

// One request that arrives in pieces. Argument: bytes in a piece. Must stay linear in the request's length.
void BM_ParseInPieces(benchmark::State& state) {
  std::vector<std::string_view> words = {"DEL"};
  words.insert(words.end(), 100, "key:000000012345");
  const std::string bytes = Request(words);
  const auto piece = static_cast<size_t>(state.range(0));
  const RequestParser::Limits limits;
  RequestParser parser;
  std::vector<std::string_view> args;
  for (auto _ : state) {
    auto status = RequestParser::Status::kNeedMore;
    for (size_t arrived = piece; status == RequestParser::Status::kNeedMore; arrived += piece) {
      size_t consumed = 0;
      args.clear();
      status = parser.Parse(std::string_view(bytes).substr(0, arrived), limits, &consumed, &args);
    }
    PINYON_CHECK(status == RequestParser::Status::kRequest);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_ParseInPieces)->Arg(1)->Arg(100)->Arg(10000);

}  // namespace
}  // namespace pinyon
