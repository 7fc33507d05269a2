// Preloaded into a server under test (LD_PRELOAD), it makes the disk fail: writes, syncs, truncations and
// renames of regular files, but for what the process prints. Which ones is read from the file that
// PINYON_DISK_FAULTS names, at every such call, so a test turns faults on and off while the server runs:
//
//   write 28     writes fail with errno 28 (ENOSPC), until the line is gone
//   sync 5       fsync and fdatasync fail
//   rename 5     renames fail
//   room 1000    so many bytes are written, in this process, before writes fail with ENOSPC: the last of them
//   in
//                part, as a disk does that runs full
//
// Nothing here allocates or takes locks: a forked child calls it, too.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace {

constexpr size_t kMaxText = 256;

// The number behind a word in the control file, 0 when it is not there.
uint64_t Setting(const char* word) {
  const char* path = getenv("PINYON_DISK_FAULTS");
  if (path == nullptr) return 0;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[kMaxText + 2] = "\n";
  const ssize_t size = read(fd, text + 1, kMaxText);
  close(fd);
  if (size <= 0) return 0;
  text[size + 1] = '\0';
  const size_t length = strlen(word);
  for (const char* line = strchr(text, '\n'); line != nullptr; line = strchr(line + 1, '\n')) {
    if (strncmp(line + 1, word, length) == 0 && line[length + 1] == ' ') {
      return strtoull(line + length + 1, nullptr, 10);
    }
  }
  return 0;
}

bool Fails(const char* word) {
  const uint64_t code = Setting(word);
  if (code == 0) return false;
  errno = static_cast<int>(code);
  return true;
}

bool IsData(int fd) {
  struct stat status;
  return fd > STDERR_FILENO && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

std::atomic<uint64_t> bytes_written{0};

// How many of `size` bytes there is room for.
size_t RoomFor(size_t size) {
  const uint64_t room = Setting("room");
  if (room == 0) return size;
  const uint64_t written = bytes_written.load(std::memory_order_relaxed);
  const uint64_t left = written < room ? room - written : 0;
  return left < size ? static_cast<size_t>(left) : size;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  if (IsData(fd)) {
    if (Fails("write")) return -1;
    const size_t room = RoomFor(size);
    if (room == 0 && size > 0) {
      errno = ENOSPC;
      return -1;
    }
    size = room;
    bytes_written.fetch_add(size, std::memory_order_relaxed);
  }
  return syscall(SYS_write, fd, bytes, size);
}

int fsync(int fd) {
  if (Fails("sync")) return -1;
  return static_cast<int>(syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  if (Fails("sync")) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

int rename(const char* from, const char* to) noexcept {
  if (Fails("rename")) return -1;
  return static_cast<int>(syscall(SYS_rename, from, to));
}

}  // extern "C"
