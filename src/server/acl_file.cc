#include "server/acl_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "persist/file_io.h"

namespace pinyon {

namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;
constexpr mode_t kNewFileMode = 0600;

// Makes the temporary file with the mode that the finished one shall have. errno's value, 0 for success.
int CreateLike(const std::string& path, const std::string& temporary) {
  struct stat status {};
  const mode_t mode = stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : kNewFileMode;
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return errno;
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return errno;
  const int error = fchmod(fd, mode) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

std::string ReadAclFile(const std::string& path, std::string* text) {
  const FileError error = ReadWholeFile(FileSystem::Real(), path, kMaxFileBytes, text);
  if (!error) return {};
  return fmt::format("Error loading ACLs, opening file '{}': {}", path, std::strerror(error.code()));
}

std::string WriteAclFile(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.tmp-{}", path, getpid());
  if (const int code = CreateLike(path, temporary); code != 0) {
    return fmt::format("open {}: {}", temporary, std::strerror(code));
  }
  const FileError error = WriteFileDurably(FileSystem::Real(), path, temporary, text);
  return error ? error.Text() : std::string();
}

}  // namespace pinyon
