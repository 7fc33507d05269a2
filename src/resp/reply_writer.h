// Writes replies in RESP2 or RESP3 straight into a sink: the one way in which anything is said to a client.
// Types that RESP2 lacks are written as RESP2 clients expect them (a map as a flat array, a double as a bulk,
// ...). (Protocol: the published RESP2 and RESP3 specifications.)
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/shared_block.h"
#include "resp/reply_sink.h"

namespace pinyon {

class ReplyWriter {
 public:
  explicit ReplyWriter(ReplySink* sink) : sink_(sink) {}

  bool resp3() const { return resp3_; }
  void set_resp3(bool resp3) { resp3_ = resp3; }
  ReplySink& sink() { return *sink_; }
  void set_sink(ReplySink* sink) { sink_ = sink; }

  void Ok() { Raw("+OK\r\n"); }
  void SimpleString(std::string_view text);
  // `text` starts with its code ("ERR syntax error"); line breaks at its end are dropped, others become
  // spaces.
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  // An integer as a bulk string.
  void BulkInteger(int64_t value);
  // A string from a block, by reference when it is large.
  void BulkBlock(SharedBlock* block);
  void BulkBlock(SharedBlock* block, size_t offset, size_t length);
  void Null() { Raw(resp3_ ? "_\r\n" : "$-1\r\n"); }
  void NullArray() { Raw(resp3_ ? "_\r\n" : "*-1\r\n"); }
  void EmptyArray() { Raw("*0\r\n"); }
  // An array of a few integers, at once.
  static constexpr size_t kFewIntegers = 16;
  void IntegerArray(std::span<const int64_t> values);

  // Headers: the elements follow; for a map, `pairs` times key and value.
  void ArrayHeader(size_t count) { Header('*', count); }
  void MapHeader(size_t pairs) { resp3_ ? Header('%', pairs) : Header('*', pairs * 2); }
  void SetHeader(size_t count) { Header(resp3_ ? '~' : '*', count); }
  void PushHeader(size_t count) { Header(resp3_ ? '>' : '*', count); }

  // RESP2: a bulk of the same digits.
  void Double(double value);
  // The same without an exponent: a coordinate.
  void HumanDouble(double value);
  // RESP2: the integers 1 and 0.
  void Boolean(bool value);
  // RESP2: a bulk. `digits`: decimal, optional sign.
  void BigNumber(std::string_view digits);
  // RESP2: a plain bulk. `format` is three characters, "txt" or "mkd".
  void Verbatim(std::string_view format, std::string_view text);

  // Error replies so far, and the code of the last ("ERR", "WRONGTYPE"); for statistics and for EXEC.
  uint64_t error_count() const { return error_count_; }
  std::string_view last_error_code() const { return {last_error_code_, last_error_code_length_}; }

 private:
  void Raw(std::string_view text) {
    char* out = sink_->Reserve(text.size());
    std::memcpy(out, text.data(), text.size());
    sink_->Advance(out + text.size());
  }
  void Header(char type, size_t count);
  void DoubleText(std::string_view text);

  ReplySink* sink_;
  bool resp3_ = false;
  uint8_t last_error_code_length_ = 0;
  char last_error_code_[22] = {};
  uint64_t error_count_ = 0;
};

}  // namespace pinyon
