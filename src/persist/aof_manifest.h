// The manifest of an append-only file: which files it consists of, in which order they are read. The format
// is Redis 7's, a line for each file:
//
//   # comment
//   file appendonly.aof.2.base.rdb seq 2 type b
//   file appendonly.aof.4.incr.aof seq 4 type i
//   file appendonly.aof.3.incr.aof seq 3 type h
//
//   b   the base: what a rewrite wrote, an RDB file or commands; at most one
//   i   incremental: what happened since; sequence numbers grow from line to line
//   h   history: no longer read, to be deleted
//
// A name with a blank, a quote or bytes outside of printable ASCII stands in double quotes. Files lie in the
// manifest's own folder, so a name is never a path.
//
// Invariants: sequence numbers of incrementals grow; no name is that of two files of the log; next numbers
// are above all that were used.
//
// What no Redis writes is refused even where Redis 7.0 reads it (numbers with something behind them, types
// like "base", two files of one name): such a file was damaged. Pairs of unknown keys (Redis 8 adds some) are
// skipped. Nothing is read that could exceed kMaxBytes or kMaxLineBytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinyon {

enum class AofFileType : char { kBase = 'b', kIncremental = 'i', kHistory = 'h' };

struct AofFile {
  std::string name;
  int64_t seq = 0;
  AofFileType type = AofFileType::kIncremental;

  bool operator==(const AofFile&) const = default;
};

class AofManifest {
 public:
  static constexpr size_t kMaxLineBytes = 1024;  // with its line feed, as in Redis
  static constexpr size_t kMaxBytes = 16 * 1024 * 1024;

  // `file_name` is the directive appendfilename: what names are made of.
  explicit AofManifest(std::string file_name = "appendonly.aof") : file_name_(std::move(file_name)) {}

  // Reads a manifest; on false *error says line and reason, and this is as it was.
  bool Parse(std::string_view text, std::string* error);
  std::string Print() const;

  static std::string NameFor(std::string_view file_name) { return std::string(file_name) + ".manifest"; }
  std::string ManifestName() const { return NameFor(file_name_); }
  std::string TemporaryManifestName() const { return "temp-" + ManifestName(); }
  const std::string& file_name() const { return file_name_; }

  const std::optional<AofFile>& base() const { return base_; }
  const std::vector<AofFile>& incrementals() const { return incrementals_; }
  const std::vector<AofFile>& history() const { return history_; }
  // No file that is to be read.
  bool empty() const { return !base_ && incrementals_.empty(); }
  // Base and incrementals in the order in which they are read.
  std::vector<AofFile> Files() const;

  // A log of before Redis 7 becomes the base under its own name.
  void AdoptSingleFile();
  // The next incremental file becomes the last one; its name is new.
  const AofFile& AddIncremental();
  // The base that a rewrite made takes the place of the old one: that and all incrementals with a sequence
  // number below `first_incremental` become history.
  const AofFile& ReplaceBase(bool is_rdb, int64_t first_incremental);
  // The names that these two give next.
  std::string NextIncrementalName() const;
  std::string NextBaseName(bool is_rdb) const;
  void ForgetHistory() { history_.clear(); }
  // The next incremental number is not used.
  void PassByIncremental() { ++last_incremental_seq_; }
  // Numbers up to these are not given to new files.
  void AvoidNumbers(int64_t base_seq, int64_t incremental_seq) {
    last_base_seq_ = std::max(last_base_seq_, base_seq);
    last_incremental_seq_ = std::max(last_incremental_seq_, incremental_seq);
  }

 private:
  bool ParseLine(std::string_view line, AofManifest* into, std::string* reason) const;
  bool Add(AofFile file, std::string* reason);

  std::string file_name_;
  std::optional<AofFile> base_;
  std::vector<AofFile> incrementals_;
  std::vector<AofFile> history_;
  int64_t last_base_seq_ = 0;
  int64_t last_incremental_seq_ = 0;
};

}  // namespace pinyon
