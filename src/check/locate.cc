#include "check/locate.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace pinyon {

namespace {

namespace stdfs = std::filesystem;

constexpr size_t kLookBytes = 64 * 1024;
constexpr std::string_view kManifestEnding = ".manifest";
constexpr std::string_view kTemporaryPrefix = "temp-";

// A manifest's first line that is no comment. Comments begin as the annotations of a log do.
bool LooksLikeManifest(std::string_view text) {
  while (text.starts_with('#')) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return text.starts_with("file ");
}

PathKind KindOf(std::string_view bytes, std::string_view path) {
  if (path.ends_with(kManifestEnding) || LooksLikeManifest(bytes)) return PathKind::kManifest;
  if (bytes.starts_with("REDIS")) return PathKind::kRdb;
  if (bytes.starts_with('*') || bytes.starts_with('#')) return PathKind::kLog;
  if (path.ends_with(".rdb")) return PathKind::kRdb;
  if (bytes.empty() || path.ends_with(".aof")) return PathKind::kLog;
  return PathKind::kUnknown;
}

void Sort(std::vector<std::string>* paths) { std::sort(paths->begin(), paths->end()); }

bool IsFileWithBytes(const stdfs::directory_entry& entry) {
  std::error_code code;
  return entry.is_regular_file(code) && entry.file_size(code) > 0 && !code;
}

// A folder of logs, such as appendonlydir; one without a manifest may hold what one once named.
void ScanLogs(const stdfs::path& folder, FolderContents* contents) {
  std::vector<std::string> manifests, incrementals;
  std::error_code code;
  for (stdfs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(kTemporaryPrefix)) {
      contents->temporary.push_back(it->path().string());
    } else if (name.ends_with(kManifestEnding)) {
      manifests.push_back(it->path().string());
    } else if (name.ends_with(".incr.aof") && IsFileWithBytes(*it)) {
      incrementals.push_back(it->path().string());
    }
  }
  auto& all = contents->manifests;
  all.insert(all.end(), manifests.begin(), manifests.end());
  if (manifests.empty()) {
    contents->orphans.insert(contents->orphans.end(), incrementals.begin(), incrementals.end());
  }
}

}  // namespace

std::string RecognisePath(FileSystem& fs, const std::string& path, PathKind* kind) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return FileError("open", path, errno).Text();
  if (S_ISDIR(status.st_mode)) {
    *kind = PathKind::kFolder;
    return {};
  }
  if (!S_ISREG(status.st_mode)) return fmt::format("{} is neither a file nor a folder", path);
  File file;
  std::string bytes(kLookBytes, '\0');
  size_t count = 0;
  if (const FileError error = File::OpenToRead(fs, path, &file)) return error.Text();
  if (const FileError error = file.Read(0, bytes.data(), bytes.size(), &count)) return error.Text();
  *kind = KindOf(std::string_view(bytes).substr(0, count), path);
  return {};
}

std::string ReadManifest(FileSystem& fs, const std::string& path, AofManifest* manifest,
                         std::vector<LogPart>* parts) {
  std::string text, error;
  if (const FileError failed = ReadWholeFile(fs, path, AofManifest::kMaxBytes, &text)) return failed.Text();
  if (!manifest->Parse(text, &error)) return error;
  const std::string folder = FolderOf(path);
  for (const AofFile& file : manifest->Files()) {
    parts->push_back({file.name, JoinPath(folder, file.name), file.type});
  }
  if (parts->size() != 1 || parts->front().type != AofFileType::kBase) return {};
  LogPart& base = parts->front();
  const std::string above = JoinPath(JoinPath(folder, ".."), base.name);
  if (path.ends_with(AofManifest::NameFor(base.name)) && !PathExists(base.path) && PathExists(above)) {
    base.path = above;
  }
  return {};
}

std::string ScanFolder(const std::string& path, FolderContents* contents) {
  std::error_code code;
  bool has_manifest = false;
  std::vector<stdfs::path> folders;
  for (stdfs::directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      folders.push_back(it->path());
    } else if (name.starts_with(kTemporaryPrefix)) {
      contents->temporary.push_back(it->path().string());
    } else if (name.ends_with(kManifestEnding)) {
      contents->manifests.push_back(it->path().string());
      has_manifest = true;
    } else if (name.ends_with(".incr.aof")) {
      if (IsFileWithBytes(*it)) contents->orphans.push_back(it->path().string());
    } else if (name.ends_with(".aof")) {
      contents->single_logs.push_back(it->path().string());
    } else if (name.ends_with(".rdb")) {
      contents->snapshots.push_back(it->path().string());
    }
  }
  if (code) return fmt::format("open {}: {}", path, code.message());
  if (has_manifest) {
    // The folder of a log itself: what lies there belongs to the manifest, or to nobody.
    contents->single_logs.clear();
    contents->snapshots.clear();
    contents->orphans.clear();
  }
  for (const stdfs::path& folder : folders) ScanLogs(folder, contents);
  for (auto* paths : {&contents->manifests, &contents->single_logs, &contents->snapshots, &contents->orphans,
                      &contents->temporary}) {
    Sort(paths);
  }
  return {};
}

}  // namespace pinyon
