// Where bytes are read from, with a checksum (CRC-64) over those that were taken: a file descriptor
// (FileSource) or memory (MemorySource).
//
// Reading that fails takes nothing more: every later call fails, too. failed() then says that it did, and
// error() why: an errno, or 0 when the bytes came to their end.
//
// Nothing that the input announces is allocated before it is known to be there: Left() is the upper bound
// that announced sizes are to be checked against, and ReadString grows by steps where it is not known.
//
// Costs: what is in the buffer is read without a call. Borrow gives bytes without a copy where it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pinyon {

class ByteSource {
 public:
  // What Left() says when it is not known.
  static constexpr uint64_t kUnknown = UINT64_MAX;
  // Borrow is for so many bytes at most, unless they are known to be left in memory.
  static constexpr size_t kMaxBorrowBytes = 64 * 1024;

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  bool ReadByte(uint8_t* byte) {
    if (at_ == end_ && !FillFor(1)) return false;
    *byte = *at_++;
    return true;
  }
  bool Read(void* out, size_t size) {
    if (size > static_cast<size_t>(end_ - at_)) return ReadLarge(static_cast<uint8_t*>(out), size);
    if (size > 0) std::memcpy(out, at_, size);
    at_ += size;
    return true;
  }
  // The next bytes, which count as taken, in one piece; valid until the next call. Null when there are not so
  // many.
  const uint8_t* Borrow(size_t size) {
    if (size > static_cast<size_t>(end_ - at_) && !FillFor(size)) return nullptr;
    const uint8_t* bytes = at_;
    at_ += size;
    return bytes;
  }
  // Into a string, in the place of what it held.
  bool ReadString(uint64_t size, std::string* out);
  bool Skip(uint64_t size);

  bool failed() const { return failed_; }
  int error() const { return error_; }
  // Bytes taken so far, and (FileSource) those before it began.
  uint64_t offset() const { return buffer_offset_ + static_cast<uint64_t>(at_ - begin_); }
  // At most so many bytes are left.
  uint64_t Left() const;
  // Over all bytes taken so far. With set_checksums(false) it is 0 and costs nothing.
  uint64_t Checksum();
  void set_checksums(bool wanted) { checksums_ = wanted; }

 protected:
  // `total`: of the offset at which the source ends, kUnknown if it is not known.
  ByteSource(const uint8_t* begin, const uint8_t* end, uint64_t offset, uint64_t total)
      : begin_(begin), at_(begin), end_(end), summed_(begin), buffer_offset_(offset), total_(total) {}
  // Reads up to `size` bytes; returns how many, 0 at the end, or minus an errno.
  virtual int64_t Fetch(uint8_t* out, size_t size) = 0;
  // Room for the buffer, null when the bytes need none.
  uint8_t* buffer_ = nullptr;
  size_t buffer_bytes_ = 0;

 private:
  bool FillFor(size_t size);
  bool ReadLarge(uint8_t* out, size_t size);
  // To be asked for no more than there is.
  bool FetchAll(uint8_t* out, size_t size);
  bool Fail(int error);

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
  const uint8_t* summed_;   // the checksum is over what is before this
  uint64_t buffer_offset_;  // of begin_
  uint64_t total_;
  uint64_t checksum_ = 0;
  bool checksums_ = true;
  bool failed_ = false;
  int error_ = 0;
};

class FileSource final : public ByteSource {
 public:
  static constexpr size_t kBufferBytes = 256 * 1024;

  // Reads from where the descriptor stands. The descriptor is the caller's; it is read ahead, so its position
  // says nothing, offset() does.
  explicit FileSource(int fd);

 private:
  FileSource(int fd, std::unique_ptr<uint8_t[]> room);
  int64_t Fetch(uint8_t* out, size_t size) override;

  int fd_;
  std::unique_ptr<uint8_t[]> room_;
};

// Borrows the bytes.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes)
      : ByteSource(Begin(bytes), Begin(bytes) + bytes.size(), 0, bytes.size()) {}

 private:
  static const uint8_t* Begin(std::string_view bytes) {
    return reinterpret_cast<const uint8_t*>(bytes.empty() ? "" : bytes.data());
  }
  int64_t Fetch(uint8_t*, size_t) override { return 0; }
};

}  // namespace pinyon
