// Loads a log into an empty server: the files of the manifest, base first, command by command. A torn tail (a
// file that ends in the middle of a unit) is cut off, if aof-load-truncated allows it, of the last file only;
// anything else that is wrong ends the load with file, offset and reason, and leaves every file as it was.
// The cut is made when everything has been loaded, so a load that fails has changed nothing.
//
// What Redis does and this does not: go on after a command that fails, and cut a file before finding out that
// it is not the last. (A transaction whose last command is torn is cut before its MULTI; Redis 7.0 leaves its
// beginning in the file, which then swallows what is written next.)
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "persist/aof_directory.h"
#include "persist/aof_reader.h"
#include "persist/executor.h"

namespace pinyon {

class AofLoader {
 public:
  struct Hooks {
    // Loads the RDB file that `path` is, or begins with, from its first byte; sets *end to the offset behind
    // it. False: *error says offset and reason. A pure RDB base ends with the file.
    std::function<bool(const std::string& path, uint64_t* end, std::string* error)> load_rdb;
    // May be empty. Bytes of all files done so far; called every 256 KiB at least, while commands are read.
    std::function<void(uint64_t done, uint64_t total)> progress;
    // May be empty. For the server's log; `warning` or notice.
    std::function<void(bool warning, const std::string& text)> log;
  };
  struct Result {
    bool ok = false;
    std::string error;        // file, offset and reason
    uint64_t bytes = 0;       // of all files, after a cut
    uint64_t base_bytes = 0;  // of the base
    uint64_t units = 0;
    uint64_t cut_bytes = 0;  // of a torn tail
  };

  AofLoader(FileSystem& fs, Executor& executor, Hooks hooks)
      : fs_(fs), executor_(executor), hooks_(std::move(hooks)) {}

  // Loads what directory.manifest() lists (Find and, if asked for, Upgrade were called).
  Result Load(const AofDirectory& directory, bool load_truncated);

 private:
  bool LoadFile(const std::string& path, bool is_last, bool load_truncated, Result* result);
  bool RunUnit(std::span<const LogCommand> commands, uint64_t* offset, std::string* error);
  bool RunCommand(const LogCommand& command, std::string* error);
  void Log(bool warning, const std::string& text) const {
    if (hooks_.log) hooks_.log(warning, text);
  }
  void Progress() const {
    if (hooks_.progress) hooks_.progress(done_before_ + done_in_file_, total_);
  }

  FileSystem& fs_;
  Executor& executor_;
  const Hooks hooks_;
  int database_ = 0;  // each file begins with 0
  uint64_t total_ = 0;
  uint64_t done_before_ = 0;  // files that were finished
  uint64_t done_in_file_ = 0;
};

}  // namespace pinyon
