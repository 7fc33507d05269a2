#include "persist/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace pinyon {

namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;

// Calls until it is not interrupted.
template <typename Call>
auto Uninterrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

std::string FileError::Text() const {
  if (code_ == 0) return "";
  return operation_ + " " + path_ + ": " + std::generic_category().message(code_);
}

int FileSystem::Open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
int FileSystem::Close(int fd) { return ::close(fd); }
ssize_t FileSystem::Read(int fd, void* to, size_t size, off_t offset) {
  return ::pread(fd, to, size, offset);
}
ssize_t FileSystem::Write(int fd, const void* from, size_t size) { return ::write(fd, from, size); }
int FileSystem::Fsync(int fd) { return ::fsync(fd); }
int FileSystem::Fdatasync(int fd) { return ::fdatasync(fd); }
int FileSystem::Truncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int FileSystem::Rename(const char* from, const char* to) { return ::rename(from, to); }
int FileSystem::Unlink(const char* path) { return ::unlink(path); }
int FileSystem::MakeFolder(const char* path, mode_t mode) { return ::mkdir(path, mode); }

FileSystem& FileSystem::Real() {
  static FileSystem real;
  return real;
}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fs_ = other.fs_;
  fd_ = std::exchange(other.fd_, -1);
  path_ = std::move(other.path_);
  return *this;
}

FileError File::Open(FileSystem& fs, const std::string& path, int flags, File* file) {
  const int fd = Uninterrupted([&] { return fs.Open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (fd < 0) return FileError("open", path, errno);
  file->Close();
  file->fs_ = &fs;
  file->fd_ = fd;
  file->path_ = path;
  return {};
}

FileError File::OpenToAppend(FileSystem& fs, const std::string& path, File* file) {
  return Open(fs, path, O_WRONLY | O_APPEND | O_CREAT, file);
}

FileError File::OpenToRead(FileSystem& fs, const std::string& path, File* file) {
  return Open(fs, path, O_RDONLY, file);
}

FileError File::WriteAll(std::string_view bytes, size_t* written) {
  PINYON_ASSERT(is_open());
  *written = 0;
  while (*written < bytes.size()) {
    const std::string_view rest = bytes.substr(*written);
    const ssize_t count = Uninterrupted([&] { return fs_->Write(fd_, rest.data(), rest.size()); });
    if (count < 0) return FileError("write", path_, errno);
    // A device that takes nothing and says nothing would be asked forever.
    if (count == 0) return FileError("write", path_, ENOSPC);
    *written += static_cast<size_t>(count);
  }
  return {};
}

FileError File::Read(uint64_t offset, char* to, size_t size, size_t* read) const {
  PINYON_ASSERT(is_open() && size > 0);
  *read = 0;
  const ssize_t count = Uninterrupted([&] { return fs_->Read(fd_, to, size, static_cast<off_t>(offset)); });
  if (count < 0) return FileError("read", path_, errno);
  *read = static_cast<size_t>(count);
  return {};
}

FileError File::Sync() {
  PINYON_ASSERT(is_open());
  if (Uninterrupted([&] { return fs_->Fsync(fd_); }) != 0) return FileError("fsync", path_, errno);
  return {};
}

FileError File::SyncData() {
  PINYON_ASSERT(is_open());
  if (Uninterrupted([&] { return fs_->Fdatasync(fd_); }) != 0) return FileError("fdatasync", path_, errno);
  return {};
}

FileError File::Truncate(uint64_t size) {
  PINYON_ASSERT(is_open());
  if (Uninterrupted([&] { return fs_->Truncate(fd_, static_cast<off_t>(size)); }) != 0) {
    return FileError("truncate", path_, errno);
  }
  return {};
}

FileError File::Size(uint64_t* size) const {
  PINYON_ASSERT(is_open());
  struct stat status;
  if (::fstat(fd_, &status) != 0) return FileError("stat", path_, errno);
  // Opening a folder for reading succeeds.
  if (S_ISDIR(status.st_mode)) return FileError("read", path_, EISDIR);
  *size = static_cast<uint64_t>(status.st_size);
  return {};
}

void File::Close() {
  if (fd_ >= 0) fs_->Close(std::exchange(fd_, -1));
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

bool PathExists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

FileError SyncFolder(FileSystem& fs, const std::string& folder) {
  File opened;
  if (FileError error = File::Open(fs, folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY, &opened)) {
    return error;
  }
  FileError error = opened.Sync();
  // Some file systems cannot sync a folder, and need not.
  if (error.code() == EINVAL || error.code() == ENOTSUP) return {};
  return error;
}

FileError MakeFolder(FileSystem& fs, const std::string& folder) {
  if (fs.MakeFolder(folder.c_str(), kFolderMode) == 0) return SyncFolder(fs, FolderOf(folder));
  const int code = errno;
  struct stat status;
  if (code == EEXIST && ::stat(folder.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? FileError() : FileError("mkdir", folder, ENOTDIR);
  }
  return FileError("mkdir", folder, code);
}

FileError RenameDurably(FileSystem& fs, const std::string& from, const std::string& to) {
  if (fs.Rename(from.c_str(), to.c_str()) != 0) return FileError("rename to " + to + " of", from, errno);
  const std::string from_folder = FolderOf(from), to_folder = FolderOf(to);
  if (FileError error = SyncFolder(fs, to_folder)) return error;
  return from_folder == to_folder ? FileError() : SyncFolder(fs, from_folder);
}

FileError WriteFileDurably(FileSystem& fs, const std::string& path, const std::string& temporary,
                           std::string_view bytes) {
  PINYON_ASSERT(FolderOf(path) == FolderOf(temporary));
  File file;
  FileError error = File::Open(fs, temporary, O_WRONLY | O_CREAT | O_TRUNC, &file);
  if (error) return error;
  error = file.WriteAll(bytes);
  if (!error) error = file.Sync();
  file.Close();
  if (!error && fs.Rename(temporary.c_str(), path.c_str()) != 0) {
    error = FileError("rename to " + path + " of", temporary, errno);
  }
  if (error) {
    (void)DeleteFile(fs, temporary);  // the first error is the one to tell
    return error;
  }
  return SyncFolder(fs, FolderOf(path));
}

FileError DeleteFile(FileSystem& fs, const std::string& path) {
  if (fs.Unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("delete", path, errno);
  return {};
}

FileError ReadWholeFile(FileSystem& fs, const std::string& path, size_t max_bytes, std::string* bytes) {
  File file;
  if (FileError error = File::OpenToRead(fs, path, &file)) return error;
  uint64_t size = 0;
  if (FileError error = file.Size(&size)) return error;
  if (size > max_bytes) return FileError("read", path, EFBIG);
  bytes->clear();
  char block[4096];
  for (;;) {
    size_t count;
    if (FileError error = file.Read(bytes->size(), block, sizeof block, &count)) return error;
    if (count == 0) return {};
    if (bytes->size() + count > max_bytes) return FileError("read", path, EFBIG);
    bytes->append(block, count);
  }
}

bool FileWriter::Write(std::string_view bytes) {
  if (error_) return false;
  bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBlockBytes) Flush();
  if (bytes.size() < kBlockBytes) {
    buffer_.append(bytes);
    return !error_;
  }
  if (error_) return false;
  error_ = file_.WriteAll(bytes);
  unsynced_ += bytes.size();
  return !error_;
}

void FileWriter::Flush() {
  if (error_) return;
  error_ = file_.WriteAll(buffer_);
  unsynced_ += buffer_.size();
  buffer_.clear();
  if (!error_ && sync_every_ > 0 && unsynced_ >= sync_every_) {
    error_ = file_.SyncData();
    unsynced_ = 0;
  }
}

FileError FileWriter::Finish() {
  Flush();
  if (!error_) error_ = file_.Sync();
  file_.Close();
  return error_;
}

}  // namespace pinyon
