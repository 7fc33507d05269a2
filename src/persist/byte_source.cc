#include "persist/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/crc64.h"

namespace pinyon {

namespace {

// Of a string whose bytes are not known to be there, so many are allocated at first.
constexpr size_t kFirstStepBytes = 1024 * 1024;

uint64_t PositionOf(int fd) {
  const off_t position = ::lseek(fd, 0, SEEK_CUR);
  return position < 0 ? 0 : static_cast<uint64_t>(position);
}

uint64_t SizeOf(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return ByteSource::kUnknown;
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace

uint64_t ByteSource::Left() const {
  if (total_ == kUnknown) return kUnknown;
  const uint64_t now = offset();
  // (A file may have grown since.)
  return total_ > now ? total_ - now : 0;
}

uint64_t ByteSource::Checksum() {
  if (!checksums_) return 0;
  checksum_ = Crc64(checksum_, summed_, static_cast<size_t>(at_ - summed_));
  summed_ = at_;
  return checksum_;
}

bool ByteSource::Fail(int error) {
  if (!failed_) error_ = error;
  failed_ = true;
  end_ = at_;
  return false;
}

bool ByteSource::FetchAll(uint8_t* out, size_t size) {
  while (size > 0) {
    const int64_t fetched = Fetch(out, size);
    if (fetched <= 0) return Fail(static_cast<int>(-fetched));
    out += fetched;
    size -= static_cast<size_t>(fetched);
  }
  return true;
}

// Brings at least `size` bytes into the buffer, behind what is left there.
bool ByteSource::FillFor(size_t size) {
  if (failed_ || buffer_ == nullptr) return Fail(0);
  PINYON_CHECK(size <= kMaxBorrowBytes && size <= buffer_bytes_);
  Checksum();
  size_t held = static_cast<size_t>(end_ - at_);
  buffer_offset_ += static_cast<uint64_t>(at_ - begin_);
  if (held > 0) std::memmove(buffer_, at_, held);
  begin_ = at_ = summed_ = buffer_;
  while (held < size) {
    const int64_t fetched = Fetch(buffer_ + held, buffer_bytes_ - held);
    if (fetched <= 0) return Fail(static_cast<int>(-fetched));
    held += static_cast<size_t>(fetched);
    end_ = buffer_ + held;
  }
  return true;
}

bool ByteSource::ReadLarge(uint8_t* out, size_t size) {
  if (failed_ || buffer_ == nullptr) return Fail(0);
  const size_t held = static_cast<size_t>(end_ - at_);
  std::memcpy(out, at_, held);
  at_ = end_;
  out += held;
  size -= held;
  if (size <= kMaxBorrowBytes) {
    if (!FillFor(size)) return false;
    std::memcpy(out, at_, size);
    at_ += size;
    return true;
  }
  // Past the buffer.
  Checksum();
  if (!FetchAll(out, size)) return false;
  if (checksums_) checksum_ = Crc64(checksum_, out, size);
  buffer_offset_ += static_cast<uint64_t>(at_ - begin_) + size;
  begin_ = at_ = end_ = summed_ = buffer_;
  return true;
}

bool ByteSource::ReadString(uint64_t size, std::string* out) {
  out->clear();
  if (size > Left()) return Fail(0);
  const bool known = total_ != kUnknown;
  size_t step = known ? static_cast<size_t>(size) : kFirstStepBytes;
  for (size_t done = 0; done < size;) {
    const size_t next = std::min<size_t>(step, static_cast<size_t>(size) - done);
    out->resize(done + next);
    if (!Read(out->data() + done, next)) return false;
    done += next;
    step = done;
  }
  return true;
}

bool ByteSource::Skip(uint64_t size) {
  while (size > 0) {
    const size_t next = static_cast<size_t>(std::min<uint64_t>(size, kMaxBorrowBytes));
    if (Borrow(next) == nullptr) return false;
    size -= next;
  }
  return true;
}

FileSource::FileSource(int fd) : FileSource(fd, std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes)) {}

FileSource::FileSource(int fd, std::unique_ptr<uint8_t[]> room)
    : ByteSource(room.get(), room.get(), PositionOf(fd), SizeOf(fd)), fd_(fd), room_(std::move(room)) {
  buffer_ = room_.get();
  buffer_bytes_ = kBufferBytes;
}

int64_t FileSource::Fetch(uint8_t* out, size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd_, out, size);
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace pinyon
