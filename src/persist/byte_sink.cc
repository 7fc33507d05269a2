#include "persist/byte_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/crc64.h"

namespace pinyon {

uint64_t ByteSink::Checksum() {
  if (!checksums_) return 0;
  checksum_ = Crc64(checksum_, summed_, static_cast<size_t>(at_ - summed_));
  summed_ = at_;
  return checksum_;
}

void ByteSink::Give(const uint8_t* bytes, size_t size) {
  delivered_ += size;
  if (error_ == 0 && size > 0) error_ = Deliver(bytes, size);
}

bool ByteSink::Flush() {
  Checksum();
  Give(begin_, static_cast<size_t>(at_ - begin_));
  at_ = summed_ = begin_;
  return ok();
}

void ByteSink::WriteLarge(const uint8_t* bytes, size_t size) {
  Flush();
  if (size < static_cast<size_t>(end_ - begin_)) return Write(bytes, size);
  if (checksums_) checksum_ = Crc64(checksum_, bytes, size);
  Give(bytes, size);
}

int FileSink::Deliver(const uint8_t* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd_, bytes, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    // (Nothing written and no error: some file systems say so when they are full.)
    if (written == 0) return ENOSPC;
    bytes += written;
    size -= static_cast<size_t>(written);
    unsynced_ += static_cast<size_t>(written);
    if (sync_every_ > 0 && unsynced_ >= sync_every_) {
      if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) return errno;
      unsynced_ = 0;
    }
  }
  return 0;
}

}  // namespace pinyon
