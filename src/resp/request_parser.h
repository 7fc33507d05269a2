// Parses requests in place: RESP arrays of bulk strings, and inline commands. Arguments are views into the
// bytes that were given (or into blocks of their own, for large bulks), nothing is copied.
//
// The caller keeps the bytes of an unfinished request where Parse left off: it hands in the same bytes again
// with more behind them (they may have moved). What was understood of it is remembered, so a request that
// arrives byte by byte, or with a million arguments, costs linear time.
//
// A bulk of at least kLargeBulkBytes that has not arrived whole is read into a block of its own: Parse then
// answers kNeedBlock; the caller reads straight into BlockSpace() and tells by BlockFilled.
//
// Errors are Redis's texts; after one the connection is to be closed. Lengths are read as Redis reads them:
// of a line end only the '\r' is looked at, the two bytes behind a bulk may be any, and a line with a zero
// byte has no end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_block.h"

namespace pinyon {

// A block in which an argument arrived: the argument's index and the block.
using LargeArg = std::pair<size_t, SharedBlock*>;

class RequestParser {
 public:
  static constexpr size_t kMaxInlineBytes = 64 * 1024;
  static constexpr size_t kLargeBulkBytes = 32 * 1024;

  struct Limits {
    int64_t max_bulk_bytes = 512LL * 1024 * 1024;
    // Before authentication only small requests are taken: 10 arguments of 16 KiB.
    bool authenticated = true;
  };

  enum class Status : uint8_t {
    kRequest,    // a request is complete; it may have no arguments (an empty line), which is to be ignored
    kNeedMore,   // more bytes are needed
    kNeedBlock,  // bytes are to be read into BlockSpace()
    kError,      // error() says why
  };

  RequestParser() = default;
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Parses the request at the start of `bytes` and, when it is complete, appends its arguments to `args`.
  // With kRequest, *consumed is its length in bytes. With kNeedBlock, *consumed is how many bytes were moved
  // to the block from the end of `bytes` (the caller drops them there). Otherwise *consumed is 0. The views
  // are valid as long as the bytes do not move; those of an inline command with quotes, or of large
  // arguments, until the next call.
  Status Parse(std::string_view bytes, const Limits& limits, size_t* consumed,
               std::vector<std::string_view>* args) {
    if (partial_ == nullptr && !holds_arguments_ && TakeWhole(bytes, limits, consumed, args)) [[likely]]
      return Status::kRequest;
    return ParseSlowly(bytes, limits, consumed, args);
  }

  const std::string& error() const { return error_; }

  // Where the rest of a large bulk goes, and how much of it is missing.
  char* BlockSpace() { return block_->data() + block_filled_; }
  size_t BlockMissing() const { return block_->capacity() - block_filled_; }
  bool NeedsBlock() const { return block_ != nullptr && BlockMissing() > 0; }
  void BlockFilled(size_t bytes) {
    PINYON_ASSERT(bytes <= BlockMissing());
    block_filled_ += bytes;
  }

  // The blocks of the last complete request's large arguments; a taker sets the pointer to null.
  std::vector<LargeArg>& large_args() { return large_args_; }
  // Whether the last complete request has storage here that the next call of Parse reuses.
  bool HoldsArguments() const { return holds_arguments_; }
  // Frees those that nobody took. What Parse gave of the request is not valid any more.
  void ReleaseLargeArgs();
  // Whether a request is half parsed, and the memory that it holds here: of that, what has arrived of a large
  // bulk that is being read, and the large ones before it that are complete.
  bool InRequest() const { return partial_ != nullptr; }
  size_t MemoryBytes() const;
  size_t BlockArrived() const { return block_ != nullptr ? block_filled_ : 0; }
  size_t LargeArgBytes() const;
  // Forgets everything, also half a request: nothing more will be parsed.
  void Clear();

 private:
  // What is understood so far of a request that is not complete.
  struct Partial {
    size_t position = 0;  // parsed so far, from the request's first byte
    int64_t args_left = 0;
    struct Arg {
      size_t offset;  // from the request's first byte; kInBlock: the next of large_args_
      size_t length;
    };
    std::vector<Arg> args;
  };
  static constexpr size_t kInBlock = ~size_t{0};

  // kEndless: no line end has come, so the limit of a line's length applies; kNeedMore: only its second byte
  // is missing.
  enum class Line : uint8_t { kDone, kEndless, kNeedMore, kBad };
  static Line ParseLength(const char*& p, const char* end, int64_t* value);
  static Line FindBadHeader(const char* header, const char* end);

  // The usual: a whole request of few arguments lies there. Otherwise false, and nothing has been done.
  static bool TakeWhole(std::string_view bytes, const Limits& limits, size_t* consumed,
                        std::vector<std::string_view>* args);
  static bool TakeHeader(const char*& p, const char* end, const Limits& limits, size_t* length);
  // What is wrong with the length of a bulk; empty: nothing.
  static std::string_view LengthError(int64_t length, const Limits& limits);
  Status ParseSlowly(std::string_view bytes, const Limits& limits, size_t* consumed,
                     std::vector<std::string_view>* args);
  Status ParseHeader(std::string_view bytes, const Limits& limits, size_t* consumed,
                     std::vector<std::string_view>* args);
  Status ParseArgs(std::string_view bytes, size_t position, int64_t count, const Limits& limits,
                   size_t* consumed, std::vector<std::string_view>* args);
  Status ParseInline(std::string_view bytes, size_t* consumed, std::vector<std::string_view>* args);
  Status ResumePartial(std::string_view bytes, const Limits& limits, size_t* consumed,
                       std::vector<std::string_view>* args);
  Status StartBlock(size_t arrived_offset, int64_t length, std::string_view bytes, size_t* consumed);
  bool CheckBulkLength(Line line, int64_t length, const Limits& limits);
  void FinishPartial(std::string_view bytes, size_t* consumed, std::vector<std::string_view>* args);
  Status Fail(std::string_view text);

  std::unique_ptr<Partial> partial_;
  SharedBlock* block_ = nullptr;  // of the large bulk that is being read
  size_t block_filled_ = 0;
  bool holds_arguments_ = false;
  std::vector<LargeArg> large_args_;
  std::vector<std::string> inline_args_;
  std::string error_;
};

}  // namespace pinyon
