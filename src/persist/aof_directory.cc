#include "persist/aof_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/numbers.h"

namespace pinyon {

namespace {

// The number of "<file_name>.<number>.<kind>.<ending>", or 0.
int64_t NumberOf(std::string_view name, std::string_view file_name, std::string_view kind) {
  if (!name.starts_with(file_name)) return 0;
  name.remove_prefix(file_name.size());
  if (name.empty() || name[0] != '.') return 0;
  name.remove_prefix(1);
  const size_t dot = name.find('.');
  int64_t number = 0;
  if (dot == name.npos || !ParseInt64(name.substr(0, dot), &number) || number < 1) return 0;
  return name.substr(dot + 1).starts_with(kind) ? number : 0;
}

}  // namespace

FileError AofDirectory::Writer::Write(const std::string& path, const std::string& temporary,
                                      const std::string& text, uint64_t generation) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (generation <= written_generation) return {};
  if (FileError error = WriteFileDurably(fs, path, temporary, text)) return error;
  written_generation = generation;
  return {};
}

AofDirectory::AofDirectory(FileSystem& fs, Names names)
    : fs_(fs),
      names_(std::move(names)),
      folder_(JoinPath(names_.data_folder, names_.append_folder)),
      manifest_(names_.file_name),
      writer_(new Writer{fs, {}, 0}) {}

std::string AofDirectory::TemporaryBasePath(int64_t pid) const {
  return JoinPath(folder_, fmt::format("temp-rewriteaof-bg-{}.aof", pid));
}

AofDirectory::Found AofDirectory::Find(std::string* error) {
  half_upgraded_ = false;
  if (!PathExists(ManifestPath())) {
    if (!AvoidLeftovers(error)) return Found::kError;
    return PathExists(SingleFilePath()) ? Found::kSingleFile : Found::kNothing;
  }
  std::string text, reason;
  if (FileError failed = ReadWholeFile(fs_, ManifestPath(), AofManifest::kMaxBytes, &text)) {
    *error = failed.Text();
    return Found::kError;
  }
  if (!manifest_.Parse(text, &reason)) {
    *error = fmt::format("{}: {}", ManifestPath(), reason);
    return Found::kError;
  }
  if (manifest_.empty()) return Found::kNothing;
  // An upgrade that was interrupted: the manifest has the file, which was not moved yet.
  const auto& base = manifest_.base();
  if (base && manifest_.incrementals().empty() && base->name == names_.file_name &&
      !PathExists(PathOf(*base)) && PathExists(SingleFilePath())) {
    half_upgraded_ = true;
    return Found::kSingleFile;
  }
  for (const AofFile& file : manifest_.Files()) {
    if (PathExists(PathOf(file))) continue;
    *error = fmt::format("{}: {} is listed, but is not there", ManifestPath(), file.name);
    return Found::kError;
  }
  return Found::kManifest;
}

bool AofDirectory::AvoidLeftovers(std::string* error) {
  std::error_code code;
  for (std::filesystem::directory_iterator it(folder_, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    const int64_t incremental = NumberOf(name, names_.file_name, "incr.");
    std::error_code ignored;
    // A file gets its first byte only when a manifest has it: that must have been lost.
    if (incremental > 0 && it->file_size(ignored) > 0) {
      *error =
          fmt::format("{} lies there, but the manifest {} does not", it->path().string(), ManifestPath());
      return false;
    }
    manifest_.AvoidNumbers(NumberOf(name, names_.file_name, "base."), incremental);
  }
  return true;
}

bool AofDirectory::Upgrade(std::string* error) {
  AofManifest upgraded(names_.file_name);
  upgraded.AdoptSingleFile();
  const std::string target = PathOf(*upgraded.base());
  if (PathExists(target)) {
    *error = fmt::format("{} and {} are both there, and no manifest says which is to be read",
                         SingleFilePath(), target);
    return false;
  }
  FileError failed = MakeFolder(fs_, folder_);
  if (!failed) {
    if (half_upgraded_) {
      manifest_ = std::move(upgraded);
    } else {
      failed = Replace(std::move(upgraded));
    }
  }
  if (!failed) failed = RenameDurably(fs_, SingleFilePath(), target);
  if (failed) *error = failed.Text();
  return !failed;
}

FileError AofDirectory::Replace(AofManifest manifest) {
  const uint64_t generation = ++generation_;
  if (FileError error = writer_->Write(ManifestPath(), JoinPath(folder_, manifest.TemporaryManifestName()),
                                       manifest.Print(), generation)) {
    return error;
  }
  manifest_ = std::move(manifest);
  return {};
}

FileError AofDirectory::OpenForAppend(File* file) {
  if (FileError error = MakeFolder(fs_, folder_)) return error;
  if (!manifest_.incrementals().empty()) {
    return File::OpenToAppend(fs_, PathOf(manifest_.incrementals().back()), file);
  }
  int64_t seq = 0;
  std::function<FileError()> publish;
  if (FileError error = PrepareIncremental(file, &seq, &publish)) return error;
  return publish();
}

FileError AofDirectory::PrepareIncremental(File* file, int64_t* seq, std::function<FileError()>* publish) {
  AofManifest next = manifest_;
  PassBy(&next);
  const AofFile added = next.AddIncremental();
  const std::string path = PathOf(added);
  if (FileError error = File::OpenToAppend(fs_, path, file)) return error;
  *seq = added.seq;
  *publish = [writer = writer_, path_of = ManifestPath(),
              temporary = JoinPath(folder_, next.TemporaryManifestName()), text = next.Print(),
              generation = ++generation_] { return writer->Write(path_of, temporary, text, generation); };
  manifest_ = std::move(next);
  return {};
}

FileError AofDirectory::CommitRewrite(const std::string& temporary, bool is_rdb, int64_t first_incremental) {
  AofManifest next = manifest_;
  const std::string path = PathOf(next.ReplaceBase(is_rdb, first_incremental));
  // The manifest follows, and with it the folder is synced again: a base under its name that no manifest has
  // is nothing but space.
  if (FileError error = RenameDurably(fs_, temporary, path)) return error;
  return Replace(std::move(next));
}

FileError AofDirectory::PrepareTurnOn(File* file) {
  if (FileError error = MakeFolder(fs_, folder_)) return error;
  return File::Open(fs_, TurnOnPath(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, file);
}

FileError AofDirectory::CommitTurnOn(const std::string& temporary, bool is_rdb) {
  AofManifest next = manifest_;
  PassBy(&next);
  const AofFile added = next.AddIncremental();
  const std::string base = PathOf(next.ReplaceBase(is_rdb, added.seq));
  if (FileError error = RenameDurably(fs_, temporary, base)) return error;
  if (FileError error = RenameDurably(fs_, TurnOnPath(), PathOf(added))) return error;
  return Replace(std::move(next));
}

void AofDirectory::PassBy(AofManifest* manifest) const {
  struct stat status;
  while (::stat(JoinPath(folder_, manifest->NextIncrementalName()).c_str(), &status) == 0 &&
         status.st_size > 0) {
    manifest->PassByIncremental();
  }
}

FileError AofDirectory::DeleteHistory() {
  if (manifest_.history().empty()) return {};
  AofManifest next = manifest_;
  for (const AofFile& file : next.history()) {
    // A name that is in use again, which no writer of manifests does, is not deleted.
    bool in_use = false;
    for (const AofFile& other : next.Files()) in_use = in_use || other.name == file.name;
    if (in_use) continue;
    if (FileError error = DeleteFile(fs_, PathOf(file))) return error;
  }
  next.ForgetHistory();
  return Replace(std::move(next));
}

FileError AofDirectory::TotalBytes(uint64_t* bytes) const {
  *bytes = 0;
  for (const AofFile& file : manifest_.Files()) {
    File opened;
    uint64_t size = 0;
    if (FileError error = File::OpenToRead(fs_, PathOf(file), &opened)) return error;
    if (FileError error = opened.Size(&size)) return error;
    *bytes += size;
  }
  return {};
}

}  // namespace pinyon
