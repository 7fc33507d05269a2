// Reads one file of an append-only log: commands as RESP arrays of bulk strings, lines of annotation that
// begin with '#' (such as #TS:unix-time), and, at the front, possibly a whole RDB file.
//
//   *3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n        a command
//   #TS:1700000000\r\n                               an annotation, between commands only
//   *1\r\n$5\r\nMULTI\r\n ... *1\r\n$4\r\nEXEC\r\n   one unit: given whole, or not at all
//
// What is wrong with a file is one of two things. It ends in the middle of a unit (kTorn): everything up to
// whole_end() is good, and cutting it there is what a crash while writing calls for. Or there are wrong bytes
// (kDamaged): somebody has to look. Redis does not check what follows a bulk's bytes and takes a length that
// is no number for a torn tail; here these are wrong bytes.
//
// Memory: one buffer that holds the unit that is being read, and never more than what the file has: what is
// only announced is not allocated. Costs: one pass over the bytes, and another over those of units that did
// not arrive in one read (twice, at most, on average).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "persist/file_io.h"

namespace pinyon {

// Borrowed until the receiver returns.
struct LogCommand {
  uint64_t offset;  // of its first byte in the file
  std::span<const std::string_view> args;
};

class AofReader {
 public:
  // No argument is longer, no command has more: beyond, lengths are damage. (A SharedBlock's and Redis's
  // limits.)
  static constexpr int64_t kMaxBulkBytes = (int64_t{4} << 30) - 1;
  static constexpr int64_t kMaxArgs = (int64_t{1} << 31) - 1;
  static constexpr size_t kMaxAnnotationBytes = 4096;

  enum class Status : uint8_t { kEnd, kTorn, kDamaged, kIoError, kRefused };
  struct Result {
    Status status = Status::kEnd;
    uint64_t offset = 0;  // of what is wrong, or of the command that was refused
    std::string reason;
  };

  struct Receiver {
    // The commands of a unit, without MULTI and EXEC; a text refuses it and ends the reading: what is wrong
    // with the command at *offset (the unit's first, unless it is set).
    std::function<std::optional<std::string>(std::span<const LogCommand>, uint64_t* offset)> unit;
    // May be empty. An annotation without its '#' and line end, and the offset of its first byte; a false
    // ends the reading as if the file ended before it.
    std::function<bool(std::string_view, uint64_t offset)> annotation;
    // May be empty. Called with each block that was read: bytes of the file that were consumed so far.
    std::function<void(uint64_t)> progress;
  };

  // Opens a file and looks at its beginning.
  FileError Open(FileSystem& fs, const std::string& path);
  uint64_t file_bytes() const { return file_bytes_; }
  // Whether the file begins as an RDB file does; its reader says where commands begin.
  bool HasRdbPreamble() const { return has_preamble_; }
  void SkipTo(uint64_t offset);

  // Reads to the end, or to the first fault.
  Result Read(const Receiver& receiver);
  // The offset behind the last whole unit, or annotation behind it.
  uint64_t whole_end() const { return whole_end_; }
  // Lines of the protocol that were read, whole ones: a length is one, an argument is one whatever it holds,
  // annotations are none. It is how redis-check-aof counts.
  uint64_t lines() const { return lines_ + broken_lines_; }

 private:
  enum class Parse : uint8_t { kWhole, kNeedMore, kBad };
  struct Arg {
    size_t offset;  // in the buffer
    size_t length;
  };
  struct Command {
    uint64_t offset;
    size_t first_arg;
    size_t args;
  };

  // Bytes of the buffer from the parsing position on, which lies within the unit.
  std::string_view Ahead() const { return std::string_view(buffer_).substr(position_); }
  uint64_t OffsetOf(size_t position) const { return buffer_offset_ + position; }
  // Reads more behind what is there; false at the end of the file or with an error.
  bool Fill(Result* result);
  void DropParsed();
  Parse ParseCommand(Command* command);
  Parse ParseLength(char type, size_t* at, int64_t max, int64_t* value);
  // False ends the reading.
  bool TakeAnnotation(const Receiver& receiver);
  bool TakeCommand(const Command& command, const Receiver& receiver, Result* result);
  bool Deliver(const Receiver& receiver, Result* result);
  bool Damaged(size_t position, std::string reason, Result* result) const;
  void Torn(Result* result) const;
  std::string_view Text(const Arg& arg) const { return {buffer_.data() + arg.offset, arg.length}; }

  File file_;
  uint64_t file_bytes_ = 0;
  bool has_preamble_ = false;

  std::string buffer_;          // has the unit that is being read, from its beginning on
  uint64_t buffer_offset_ = 0;  // of its first byte in the file
  size_t position_ = 0;         // what is before was parsed
  size_t wanted_ = 0;           // bytes that the buffer must have for parsing to get on
  uint64_t whole_end_ = 0;
  uint64_t lines_ = 0;         // of whole commands
  uint64_t broken_lines_ = 0;  // of the one that is not whole (yet)

  bool in_transaction_ = false;
  size_t transaction_start_ = 0;  // in the buffer
  std::vector<Arg> args_;
  std::vector<Command> commands_;
  std::vector<std::string_view> texts_;
  std::vector<LogCommand> unit_;
  size_t bad_at_ = 0;
  std::string bad_reason_;
};

}  // namespace pinyon
