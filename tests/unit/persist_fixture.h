// A file system whose calls can be made to fail or to wait, and small helpers.
#pragma once

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include "persist/file_io.h"
#include "support/eventually.h"
#include "support/temporary_folder.h"

namespace pinyon {

using TestFolder = testing::TemporaryFolder;
using testing::Eventually;

inline std::string EncodeArgs(std::initializer_list<std::string_view> args) {
  std::string text = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string_view arg : args) {
    text += "$" + std::to_string(arg.size()) + "\r\n" + std::string(arg) + "\r\n";
  }
  return text;
}

// Passes everything on to the kernel, but fails or waits where it is told to.
class FaultyFileSystem final : public FileSystem {
 public:
  // An error for calls, until it is taken back with 0. A write that fails takes `write_takes` bytes first.
  std::atomic<int> write_error{0}, sync_error{0}, rename_error{0}, truncate_error{0}, folder_error{0};
  std::atomic<size_t> write_takes{0};
  std::atomic<int> writes{0}, syncs{0}, renames{0};

  // Makes syncs wait until it is taken back.
  void HoldSyncs(bool hold) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ = hold;
    released_.notify_all();
  }

  ssize_t Write(int fd, const void* from, size_t size) override {
    ++writes;
    if (write_error == 0) return FileSystem::Write(fd, from, size);
    const size_t takes = write_takes.exchange(0);
    if (takes > 0) return FileSystem::Write(fd, from, std::min(takes, size));
    return Fail(write_error);
  }
  int Fsync(int fd) override { return Sync(fd); }
  int Fdatasync(int fd) override { return Sync(fd); }
  int Truncate(int fd, off_t size) override {
    return truncate_error != 0 ? Fail(truncate_error) : FileSystem::Truncate(fd, size);
  }
  int Rename(const char* from, const char* to) override {
    ++renames;
    return rename_error != 0 ? Fail(rename_error) : FileSystem::Rename(from, to);
  }
  int MakeFolder(const char* path, mode_t mode) override {
    return folder_error != 0 ? Fail(folder_error) : FileSystem::MakeFolder(path, mode);
  }

 private:
  static int Fail(int code) {
    errno = code;
    return -1;
  }
  int Sync(int fd) {
    std::unique_lock<std::mutex> lock(mutex_);
    released_.wait(lock, [&] { return !held_; });
    lock.unlock();
    ++syncs;
    return sync_error != 0 ? Fail(sync_error) : FileSystem::Fdatasync(fd);
  }

  std::mutex mutex_;
  std::condition_variable released_;
  bool held_ = false;
};

}  // namespace pinyon
