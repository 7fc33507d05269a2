// The parts that RDB data is made of, read from a ByteSource: lengths, strings in all their forms, numbers.
// Every call returns false after the first failure, which error() tells; nothing is read beyond it.
//
// Texts are borrowed until the next call. No size that the input announces is allocated before it is known
// that so many bytes are left (of compressed strings: that so many can come of those that are left).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_block.h"
#include "persist/byte_source.h"
#include "types/listpack.h"

namespace pinyon {

struct RdbError {
  enum class Kind : uint8_t {
    kNone,
    kTruncated,    // the input ends within a value
    kIo,           // reading failed: system_error
    kCorrupt,      // what is there cannot be
    kUnsupported,  // it may be right, but Pinyon does not know it
    kEmpty,        // a collection without elements, read to its end; Redis leaves such keys out
    kRefused,      // by whom it was given to
  };

  Kind kind = Kind::kNone;
  std::string reason;
  int system_error = 0;
};

class RdbDecoder {
 public:
  explicit RdbDecoder(ByteSource& source) : source_(source) {}
  RdbDecoder(const RdbDecoder&) = delete;
  RdbDecoder& operator=(const RdbDecoder&) = delete;

  ByteSource& source() { return source_; }
  const RdbError& error() const { return error_; }
  bool ok() const { return error_.kind == RdbError::Kind::kNone; }
  // Notes a failure, unless there was one; returns false.
  bool Fail(RdbError::Kind kind, std::string reason);
  bool Corrupt(std::string reason) { return Fail(RdbError::Kind::kCorrupt, std::move(reason)); }
  // Whoever goes on after a value that was read to its end (kEmpty).
  void ForgetError() { error_ = {}; }

  bool Byte(uint8_t* byte) { return source_.ReadByte(byte) || SourceFailed(); }
  // Little-endian.
  template <typename T>
  bool Fixed(T* value) {
    return source_.Read(value, sizeof *value) || SourceFailed();
  }
  // A plain length (or other unsigned number).
  bool Length(uint64_t* length);
  // The number of elements that follow, each of which takes `bytes_each` bytes at least.
  bool Count(uint64_t* count, uint64_t bytes_each = 1);
  // A string as what it was written as: a number or a text.
  bool Element(PackedElement* element);
  // A string's bytes.
  bool Text(std::string_view* text);
  bool TextInto(std::string* text);
  // As Element; a text of more than `inline_bytes` bytes is put into a block instead.
  bool ElementOrBlock(size_t inline_bytes, PackedElement* element, BlockRef* block);
  bool SkipText();
  // A score of the oldest form, as text; never NaN.
  bool ScoreText(double* score);

 private:
  // What stands before a string's bytes.
  struct Head {
    bool is_integer = false;
    bool is_compressed = false;
    int64_t integer = 0;
    uint64_t bytes = 0;         // of the string
    uint64_t stored_bytes = 0;  // that follow
  };
  bool SourceFailed();
  bool LengthOrForm(uint64_t* length, bool* is_form);
  bool ReadHead(Head* head);
  bool IntegerHead(uint64_t form, Head* head);
  bool LzfHead(Head* head);
  bool CheckSizes(const Head& head);
  // The bytes that follow as they are stored, borrowed or in `room`.
  bool Stored(uint64_t size, std::string* room, std::string_view* bytes);
  bool BodyInto(const Head& head, char* out);
  bool Body(const Head& head, std::string_view* text);

  ByteSource& source_;
  RdbError error_;
  PackedElement::Digits digits_;
  std::string stored_;
  std::string text_;
};

}  // namespace pinyon
