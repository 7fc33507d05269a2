// Feeds bytes to an InputBuffer and a RequestParser as a client's connection and the server's turn do
// (server/client.h, server/turn.h): reads fill the space there is, then requests are gathered in batches, run
// (here: copied) and consumed. Checks on the way what both sides promise each other.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/shared_block.h"
#include "resp/input_buffer.h"
#include "resp/request_parser.h"

namespace pinyon {

using RequestList = std::vector<std::vector<std::string>>;

class RequestFeed {
 public:
  explicit RequestFeed(RequestParser::Limits limits = {}, size_t batch_requests = 64)
      : limits_(limits), batch_requests_(batch_requests) {}

  // Hands over `bytes` in as few reads as there is space for. Returns the number of reads.
  size_t Read(std::string_view bytes) {
    size_t reads = 0;
    while (!bytes.empty() && !failed_) {
      ++reads;
      bytes.remove_prefix(ReadOnce(bytes));
      while (RunBatch()) {
      }
      input_.ReleaseIfEmpty();
    }
    return reads;
  }

  // Requests without arguments are not among them.
  const RequestList& requests() const { return requests_; }
  bool failed() const { return failed_; }
  const std::string& error() const { return parser_.error(); }
  RequestParser& parser() { return parser_; }
  InputBuffer& input() { return input_; }
  size_t taken_blocks() const { return taken_.size(); }
  // Bytes that were moved to blocks, or read straight into them.
  size_t block_bytes() const { return block_bytes_; }

 private:
  struct Gathered {
    size_t first_arg;
    size_t argc;
    size_t bytes;
  };

  size_t ReadOnce(std::string_view bytes) {
    if (parser_.NeedsBlock()) {
      const size_t count = std::min(bytes.size(), parser_.BlockMissing());
      std::memcpy(parser_.BlockSpace(), bytes.data(), count);
      parser_.BlockFilled(count);
      block_bytes_ += count;
      return count;
    }
    const std::span<char> space = input_.Space();
    PINYON_CHECK(!space.empty());
    const size_t count = std::min(bytes.size(), space.size());
    std::memcpy(space.data(), bytes.data(), count);
    input_.Filled(count);
    return count;
  }

  // Returns whether there may be more to parse.
  bool RunBatch() {
    const bool has_more = Gather();
    PINYON_CHECK(!has_more || !batch_.empty());
    for (const Gathered& request : batch_) {
      if (request.argc > 0) Run(request);
      input_.Consume(request.bytes);
    }
    batch_.clear();
    args_.clear();
    return has_more;
  }

  bool Gather() {
    size_t offset = 0;
    while (batch_.size() < batch_requests_) {
      const size_t first_arg = args_.size();
      const std::string_view bytes = input_.bytes().substr(offset);
      size_t consumed = 0;
      const auto status = parser_.Parse(bytes, limits_, &consumed, &args_);
      PINYON_CHECK(consumed <= bytes.size());
      if (status == RequestParser::Status::kRequest) {
        PINYON_CHECK(consumed > 0 && !parser_.InRequest());
        batch_.push_back({first_arg, args_.size() - first_arg, consumed});
        offset += consumed;
        if (parser_.HoldsArguments()) return true;
        continue;
      }
      PINYON_CHECK(args_.size() == first_arg);
      if (status == RequestParser::Status::kNeedBlock) {
        PINYON_CHECK(parser_.NeedsBlock());
        input_.DropFromEnd(consumed);
        block_bytes_ += consumed;
      } else {
        PINYON_CHECK(consumed == 0);
        failed_ = status == RequestParser::Status::kError;
        PINYON_CHECK(failed_ == !parser_.error().empty());
      }
      return false;
    }
    return true;
  }

  void Run(const Gathered& request) {
    std::vector<std::string> copy;
    const std::string_view bytes = input_.bytes().substr(0, request.bytes);
    for (size_t i = 0; i < request.argc; ++i) {
      const std::string_view arg = args_[request.first_arg + i];
      const bool is_inside =
          arg.data() >= bytes.data() && arg.data() + arg.size() <= bytes.data() + bytes.size();
      PINYON_CHECK(is_inside || parser_.HoldsArguments());
      copy.emplace_back(arg);
    }
    if (parser_.HoldsArguments()) TakeBlocks(request);
    requests_.push_back(std::move(copy));
  }

  // Every second block is taken, as by SET; the others stay the parser's.
  void TakeBlocks(const Gathered& request) {
    for (auto& [index, block] : parser_.large_args()) {
      PINYON_CHECK(index < request.argc && block != nullptr && !block->IsShared());
      const std::string_view arg = args_[request.first_arg + index];
      PINYON_CHECK(arg.data() == block->data() && arg.size() == block->length());
      if (take_next_) taken_.emplace_back(std::exchange(block, nullptr));
      take_next_ = !take_next_;
    }
  }

  const RequestParser::Limits limits_;
  const size_t batch_requests_;
  ChunkPool pool_;
  InputBuffer input_{pool_};
  RequestParser parser_;
  std::vector<std::string_view> args_;
  std::vector<Gathered> batch_;
  std::vector<BlockRef> taken_;
  RequestList requests_;
  size_t block_bytes_ = 0;
  bool take_next_ = true;
  bool failed_ = false;
};

// The same from all bytes at once, in memory of exactly their size.
struct ParsedAtOnce {
  RequestList requests;
  std::string error;

  ParsedAtOnce(std::string_view bytes, const RequestParser::Limits& limits) {
    const std::vector<char> exact(bytes.begin(), bytes.end());
    RequestParser parser;
    std::vector<std::string_view> args;
    for (size_t offset = 0; offset < exact.size();) {
      args.clear();
      size_t consumed = 0;
      const std::string_view rest(exact.data() + offset, exact.size() - offset);
      const auto status = parser.Parse(rest, limits, &consumed, &args);
      if (status == RequestParser::Status::kError) error = parser.error();
      if (status != RequestParser::Status::kRequest) return;
      PINYON_CHECK(consumed > 0 && consumed <= rest.size());
      offset += consumed;
      if (!args.empty()) requests.emplace_back(args.begin(), args.end());
    }
  }
};

}  // namespace pinyon
