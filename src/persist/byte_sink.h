// Where bytes are written to, with a checksum (CRC-64) over them: a file descriptor (FileSink) or a string
// (TextSink). Writing goes to a buffer; the checksum is reckoned, and the buffer emptied, in large pieces.
//
// Errors are sticky: after the first one everything written is dropped, ok() is false and error() is its
// errno. So a writer may check now and then, and must before it trusts the result.
//
// Costs: Write of a few bytes is a copy into the buffer. Safe in a forked child: no locks, no threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pinyon {

class ByteSink {
 public:
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  void WriteByte(uint8_t byte) {
    if (at_ == end_) Flush();
    *at_++ = byte;
  }
  void Write(const void* bytes, size_t size) {
    if (size > static_cast<size_t>(end_ - at_)) return WriteLarge(static_cast<const uint8_t*>(bytes), size);
    if (size > 0) std::memcpy(at_, bytes, size);
    at_ += size;
  }
  void Write(std::string_view text) { Write(text.data(), text.size()); }

  bool ok() const { return error_ == 0; }
  int error() const { return error_; }
  // Bytes written so far, those in the buffer among them.
  uint64_t offset() const { return delivered_ + static_cast<uint64_t>(at_ - begin_); }
  // Over all bytes so far. With set_checksums(false) it is 0 and costs nothing.
  uint64_t Checksum();
  void set_checksums(bool wanted) { checksums_ = wanted; }

  // Delivers what is in the buffer. Returns ok().
  bool Flush();

 protected:
  ByteSink(uint8_t* buffer, size_t size)
      : begin_(buffer), at_(buffer), end_(buffer + size), summed_(buffer) {}
  // Returns 0 or an errno.
  virtual int Deliver(const uint8_t* bytes, size_t size) = 0;

 private:
  void WriteLarge(const uint8_t* bytes, size_t size);
  void Give(const uint8_t* bytes, size_t size);

  uint8_t* begin_;
  uint8_t* at_;
  uint8_t* end_;
  uint8_t* summed_;  // the checksum is over what is before this
  uint64_t checksum_ = 0;
  bool checksums_ = true;
  uint64_t delivered_ = 0;
  int error_ = 0;
};

class FileSink final : public ByteSink {
 public:
  static constexpr size_t kBufferBytes = 256 * 1024;

  // The descriptor is the caller's, who closes it; Flush first.
  explicit FileSink(int fd) : FileSink(fd, std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes)) {}

  // Has the system write to the disk after each so many bytes, so that the last fsync does not have to wait
  // for all (rdb-save-incremental-fsync); 0: never.
  void set_sync_every(size_t bytes) { sync_every_ = bytes; }

 private:
  FileSink(int fd, std::unique_ptr<uint8_t[]> buffer)
      : ByteSink(buffer.get(), kBufferBytes), fd_(fd), buffer_(std::move(buffer)) {}
  int Deliver(const uint8_t* bytes, size_t size) override;

  int fd_;
  std::unique_ptr<uint8_t[]> buffer_;
  size_t sync_every_ = 0;
  size_t unsynced_ = 0;
};

// Appends to a string, which is complete after Flush.
class TextSink final : public ByteSink {
 public:
  explicit TextSink(std::string& text) : ByteSink(buffer_, sizeof buffer_), text_(text) {}

 private:
  int Deliver(const uint8_t* bytes, size_t size) override {
    text_.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  std::string& text_;
  uint8_t buffer_[1024];
};

}  // namespace pinyon
