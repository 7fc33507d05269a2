// The folder of an append-only file as it is on disk: finds what is there, takes over the single file of
// Redis 6, and carries every change of the manifest out in an order in which a crash at any point loses
// nothing:
//
//   start          OpenForAppend: the last incremental file, or a new one
//   rewrite        PrepareIncremental -> LogWriter::Rotate(file, publish); the child writes
//   TemporaryBasePath;
//                  CommitRewrite: the base gets its name, then the manifest names it; DeleteHistory
//   turned on      PrepareTurnOn: a file that no manifest lists yet, since what is listed is an older state
//   of
//                  the data; a rewrite; CommitTurnOn: the new base and that file become the log. A rewrite
//                  that fails is begun again by PrepareTurnOn and a rotation.
//
// The manifest is written by the loop's thread and, when a rotation is published, by the log's: a lock and a
// generation see to it that an older one never takes the place of a newer one.
//
// Nothing is deleted but history, temporary files of ours, and files that no manifest ever named.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "persist/aof_manifest.h"
#include "persist/file_io.h"

namespace pinyon {

class AofDirectory {
 public:
  struct Names {
    std::string data_folder = ".";                // dir
    std::string append_folder = "appendonlydir";  // appenddirname
    std::string file_name = "appendonly.aof";     // appendfilename
  };
  enum class Found : uint8_t {
    kNothing,     // start with an empty log
    kManifest,    // manifest() has it
    kSingleFile,  // a log of before Redis 7, not yet taken over: Upgrade
    kError,
  };

  AofDirectory(FileSystem& fs, Names names);

  // Looks, changes nothing. On kError *error says file, line or offset, and reason.
  Found Find(std::string* error);
  // Makes the single file the base of a new manifest: the manifest is written first, then the file moved, so
  // that a crash between the two is finished the next time (Find answers kSingleFile again).
  bool Upgrade(std::string* error);

  const AofManifest& manifest() const { return manifest_; }
  const std::string& folder() const { return folder_; }
  std::string PathOf(const AofFile& file) const { return JoinPath(folder_, file.name); }
  std::string ManifestPath() const { return JoinPath(folder_, manifest_.ManifestName()); }
  // Where the child writes a new base.
  std::string TemporaryBasePath(int64_t pid) const;

  // The file to append to from the start on, in the manifest. Makes folder and manifest if need be.
  FileError OpenForAppend(File* file);

  // A new incremental file, made and in manifest(), which *publish writes to disk. *seq is its number.
  FileError PrepareIncremental(File* file, int64_t* seq, std::function<FileError()>* publish);
  // A rewrite is done: the base at `temporary` (synced) stands for everything before incremental file
  // `first_incremental`. On an error manifest and folder are as before, except that the temporary file may
  // have got the new base's name.
  FileError CommitRewrite(const std::string& temporary, bool is_rdb, int64_t first_incremental);
  // A temporary file to append to while the first rewrite after turning the log on runs (Find was called).
  FileError PrepareTurnOn(File* file);
  // The base at `temporary` and the file of PrepareTurnOn, which gets its name, become the whole log.
  FileError CommitTurnOn(const std::string& temporary, bool is_rdb);
  // Deletes what is history and says so in the manifest. An error is no harm: it is tried again next time.
  FileError DeleteHistory();

  // Bytes of all files that are read, for auto-aof-rewrite-*.
  FileError TotalBytes(uint64_t* bytes) const;

 private:
  // What the thread that publishes shares with the loop.
  struct Writer {
    FileSystem& fs;
    std::mutex mutex;
    uint64_t written_generation = 0;

    FileError Write(const std::string& path, const std::string& temporary, const std::string& text,
                    uint64_t generation);
  };

  std::string SingleFilePath() const { return JoinPath(names_.data_folder, names_.file_name); }
  // Writes `manifest` down and, if that worked, makes it this one's.
  FileError Replace(AofManifest manifest);
  std::string TurnOnPath() const { return JoinPath(folder_, "temp-" + names_.file_name + ".incr"); }
  // Passes numbers by whose files lie there, though no manifest has them.
  void PassBy(AofManifest* manifest) const;
  // Numbers below those of files that lie around are not used again. False: what is there looks like data.
  bool AvoidLeftovers(std::string* error);

  FileSystem& fs_;
  const Names names_;
  const std::string folder_;
  AofManifest manifest_;
  bool half_upgraded_ = false;
  uint64_t generation_ = 0;
  std::shared_ptr<Writer> writer_;
};

}  // namespace pinyon
