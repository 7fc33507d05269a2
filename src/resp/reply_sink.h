// Where reply bytes go: a socket's output buffer, a script, or nowhere. The writer asks for room, writes
// there and moves the cursor, so that a small reply costs a comparison and a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/shared_block.h"

namespace pinyon {

class ReplySink {
 public:
  ReplySink() = default;
  ReplySink(const ReplySink&) = delete;
  ReplySink& operator=(const ReplySink&) = delete;
  virtual ~ReplySink() = default;

  // The most that Reserve can be asked for.
  static constexpr size_t kMaxReserve = 512;

  // Room for `bytes` bytes at the place returned; what is used of it is told by Advance.
  char* Reserve(size_t bytes) {
    PINYON_ASSERT(bytes <= kMaxReserve);
    if (static_cast<size_t>(limit_ - cursor_) < bytes) Grow();
    return cursor_;
  }
  void Advance(char* end) {
    PINYON_ASSERT(end >= cursor_ && end <= limit_);
    cursor_ = end;
  }

  // Any number of bytes, copied.
  void Append(std::string_view bytes) {
    while (bytes.size() > static_cast<size_t>(limit_ - cursor_)) {
      const size_t room = static_cast<size_t>(limit_ - cursor_);
      if (room > 0) std::memcpy(cursor_, bytes.data(), room);
      cursor_ = limit_;
      bytes.remove_prefix(room);
      Grow();
    }
    if (!bytes.empty()) std::memcpy(cursor_, bytes.data(), bytes.size());
    cursor_ += bytes.size();
  }

  // Bytes of a block, kept by reference where the sink can; the caller keeps its own reference.
  virtual void AppendBlock(SharedBlock* block, size_t offset, size_t length) {
    Append(block->bytes().substr(offset, length));
  }
  // All of a block that many sinks are given at the same time: by reference where that is cheaper than a
  // copy.
  virtual void AppendShared(SharedBlock* block) { Append(block->bytes()); }

  // Bytes taken in so far: a place in the stream. Only its changes mean something.
  virtual uint64_t WrittenBytes() const = 0;

 protected:
  // Makes room for at least kMaxReserve bytes at cursor_.
  virtual void Grow() = 0;

  char* cursor_ = nullptr;
  char* limit_ = nullptr;
};

// Swallows everything (CLIENT REPLY OFF, loading).
class NullSink final : public ReplySink {
 public:
  void AppendBlock(SharedBlock*, size_t, size_t) override {}
  uint64_t WrittenBytes() const override { return 0; }

 private:
  void Grow() override {
    cursor_ = scratch_;
    limit_ = scratch_ + sizeof scratch_;
  }
  char scratch_[4096];
};

// Collects into a string (tests, scripts, the text of a reply that is examined before it is sent).
class StringSink final : public ReplySink {
 public:
  // What has been written so far.
  std::string_view text() {
    Flush();
    return {text_.data(), text_.size()};
  }
  uint64_t WrittenBytes() const override {
    return text_.size() + (cursor_ == nullptr ? 0 : static_cast<size_t>(cursor_ - scratch_));
  }
  void Clear() {
    text_.clear();
    cursor_ = scratch_;
    limit_ = scratch_ + sizeof scratch_;
  }

 private:
  void Flush() {
    if (cursor_ != nullptr) text_.append(scratch_, static_cast<size_t>(cursor_ - scratch_));
    cursor_ = scratch_;
    limit_ = scratch_ + sizeof scratch_;
  }
  void Grow() override { Flush(); }
  std::string text_;
  char scratch_[4096];
};

}  // namespace pinyon
