// The file operations on which durability depends, and the one place through which persist/ reaches the disk:
// a FileSystem is a table of system calls that tests replace to inject failures; everything above it keeps
// every error: what was done, to which path, and why it failed.
//
// Rules that hold here and nowhere else have to be remembered:
// - A name is durable when its folder was synced, not when its file was: RenameDurably and WriteFileDurably
// do
//   both.
// - A failed fsync is not retried: the kernel may have dropped the pages that it could not write, and the
//   next fsync succeeds without them (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
// - EINTR is retried here; a short write is continued until it fails.
//
// Costs: a virtual call beside each system call. Any thread may use any of it; a File belongs to one at a
// time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pinyon {

// Success, or what went wrong.
class [[nodiscard]] FileError {
 public:
  FileError() = default;
  // `operation` is a word for people: "write", "fsync".
  FileError(std::string_view operation, std::string_view path, int code)
      : operation_(operation), path_(path), code_(code) {}

  explicit operator bool() const { return code_ != 0; }
  int code() const { return code_; }
  const std::string& path() const { return path_; }
  // "write /data/appendonlydir/x: No space left on device"; empty on success.
  std::string Text() const;

 private:
  std::string operation_;
  std::string path_;
  int code_ = 0;
};

// System calls, with their results and errno.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int Open(const char* path, int flags, mode_t mode);
  virtual int Close(int fd);
  virtual ssize_t Read(int fd, void* to, size_t size, off_t offset);  // pread
  virtual ssize_t Write(int fd, const void* from, size_t size);
  virtual int Fsync(int fd);
  virtual int Fdatasync(int fd);
  virtual int Truncate(int fd, off_t size);
  virtual int Rename(const char* from, const char* to);
  virtual int Unlink(const char* path);
  virtual int MakeFolder(const char* path, mode_t mode);

  // The kernel's. Has no state.
  static FileSystem& Real();
};

// An open file; closes itself. Closing reports no error: what matters was synced before.
class File {
 public:
  File() = default;
  ~File() { Close(); }
  File(File&& other) noexcept { *this = std::move(other); }
  File& operator=(File&& other) noexcept;

  // Flags as of open(2); O_CLOEXEC is added.
  static FileError Open(FileSystem& fs, const std::string& path, int flags, File* file);
  static FileError OpenToAppend(FileSystem& fs, const std::string& path, File* file);  // made if missing
  static FileError OpenToRead(FileSystem& fs, const std::string& path, File* file);

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  // *written is how many bytes were written, all of them unless an error is returned.
  FileError WriteAll(std::string_view bytes, size_t* written);
  FileError WriteAll(std::string_view bytes) {
    size_t ignored;
    return WriteAll(bytes, &ignored);
  }
  // Up to `size` bytes from `offset` on; *read is 0 at the end only.
  FileError Read(uint64_t offset, char* to, size_t size, size_t* read) const;
  FileError Sync();
  // Without the times of the file; its length is synced when that is needed to read it.
  FileError SyncData();
  FileError Truncate(uint64_t size);
  FileError Size(uint64_t* size) const;
  void Close();

 private:
  FileSystem* fs_ = nullptr;
  int fd_ = -1;
  std::string path_;
};

// "folder/name"; the name alone when the folder is empty.
std::string JoinPath(std::string_view folder, std::string_view name);
// The folder of a path, "." when it has none.
std::string FolderOf(std::string_view path);

bool PathExists(const std::string& path);
FileError SyncFolder(FileSystem& fs, const std::string& folder);
// Makes the folder, durably, unless it is there.
FileError MakeFolder(FileSystem& fs, const std::string& folder);
// Both paths lie on one file system; their folders are synced.
FileError RenameDurably(FileSystem& fs, const std::string& from, const std::string& to);
// Puts a file with these bytes in the place of whatever is there, or leaves that as it was: written to
// `temporary` (in the same folder), synced, renamed, folder synced. An error of the last step alone leaves
// the new file there, but not durably.
FileError WriteFileDurably(FileSystem& fs, const std::string& path, const std::string& temporary,
                           std::string_view bytes);
// No error when it is not there. Not durable by itself: a file that comes back is deleted again.
FileError DeleteFile(FileSystem& fs, const std::string& path);
// Fails with EFBIG beyond `max_bytes`.
FileError ReadWholeFile(FileSystem& fs, const std::string& path, size_t max_bytes, std::string* bytes);

// Writes a large file: in blocks of 64 KiB, synced every few MiB when asked, so that the disk works while the
// next bytes are made and the last fsync is short. The first error stays; what is written after it goes
// nowhere.
class FileWriter {
 public:
  // `sync_every_bytes`: 0 for never.
  FileWriter(File file, uint64_t sync_every_bytes) : file_(std::move(file)), sync_every_(sync_every_bytes) {}

  // False after an error.
  bool Write(std::string_view bytes);
  // Writes what is buffered and syncs; the file is closed.
  FileError Finish();
  const FileError& error() const { return error_; }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kBlockBytes = 64 * 1024;
  void Flush();

  File file_;
  uint64_t sync_every_;
  uint64_t unsynced_ = 0;
  uint64_t bytes_ = 0;
  std::string buffer_;
  FileError error_;
};

}  // namespace pinyon
