#include "check/rdb_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "persist/rdb_format.h"

namespace pinyon {

namespace {

// What redis-check-rdb calls a fault; "" if it has no words of its own for it.
std::string FaultTitle(const RdbReadResult& read) {
  if (read.kind == RdbError::Kind::kTruncated) return "Unexpected EOF reading RDB file";
  if (read.record_code == rdb::kEof && read.kind == RdbError::Kind::kCorrupt) return "RDB CRC error";
  if (read.version > 0) return {};
  if (read.kind == RdbError::Kind::kCorrupt) return "Wrong signature trying to load DB from file";
  return read.kind == RdbError::Kind::kUnsupported ? "Can't handle RDB format version" : "";
}

}  // namespace

std::string Shown(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return std::string(text);
  }
  const std::string quoted = QuoteForLog(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string_view ValueCodeName(int code) {
  switch (code) {
    case rdb::kString: return "string";
    case rdb::kList: return "list-linked";
    case rdb::kSet: return "set-hashtable";
    case rdb::kZset: return "zset-v1";
    case rdb::kHash: return "hash-hashtable";
    case rdb::kZset2: return "zset-v2";
    case rdb::kModulePreGa:
    case rdb::kModule: return "module-value";
    case rdb::kHashZipmap: return "hash-zipmap";
    case rdb::kListZiplist: return "list-ziplist";
    case rdb::kSetIntset: return "set-intset";
    case rdb::kZsetZiplist: return "zset-ziplist";
    case rdb::kHashZiplist: return "hash-ziplist";
    case rdb::kListQuicklist: return "quicklist";
    case rdb::kStreamListpacks:
    case rdb::kStreamListpacks2:
    case rdb::kStreamListpacks3: return "stream";
    case rdb::kHashListpack: return "hash-listpack";
    case rdb::kZsetListpack: return "zset-listpack";
    case rdb::kListQuicklist2: return "quicklist-v2";
    case rdb::kSetListpack: return "set-listpack";
    case rdb::kHashMetadata: return "hash-hashtable-md";
    case rdb::kHashListpackEx: return "hash-listpack-md";
    default: return "unknown";
  }
}

std::string_view RdbDoing(const RdbReadResult& read) {
  if (read.version == 0) return "start";
  switch (read.record_code) {
    case -1: return "read-type";
    case rdb::kExpireTime:
    case rdb::kExpireTimeMs: return "read-expire";
    case rdb::kSelectDb:
    case rdb::kResizeDb:
    case rdb::kSlotInfo: return "read-len";
    case rdb::kAux: return "read-aux";
    case rdb::kModuleAux: return "read-module-aux";
    case rdb::kFunction2:
    case rdb::kFunctionPreGa: return "read-functions";
    case rdb::kEof: return "check-sum";
    case rdb::kIdle:
    case rdb::kFreq: return "read-type";
    default: return read.in_value ? "read-object-value" : "read-key";
  }
}

void BeginRdbLines(Console& console, std::string_view name) {
  console.Line("[offset 0] Checking RDB file {}", name);
}

RdbWatch WatchForRdbLines(Console& console) {
  RdbWatch watch;
  watch.aux = [&console](uint64_t offset, std::string_view name, std::string_view value) {
    console.Line("[offset {}] AUX FIELD {} = '{}'", offset, Shown(name), Shown(value));
  };
  watch.select = [&console](uint64_t offset, uint64_t database) {
    console.Line("[offset {}] Selecting DB ID {}", offset, database);
  };
  return watch;
}

void EndRdbLines(Console& console, const RdbReport& report) {
  const RdbReadResult& read = report.read;
  uint64_t keys = read.keys + read.empty_keys;
  if (report.good()) {
    if (read.version >= rdb::kChecksumVersion) {
      console.Line("[offset {}] {}", read.offset,
                   read.checksum != 0 ? "Checksum OK"
                                      : "RDB file was saved with checksum disabled: no check performed.");
    }
    console.Line("[offset {}] \\o/ RDB looks OK! \\o/", read.offset);
  } else {
    console.Line("--- RDB ERROR DETECTED ---");
    const std::string title = FaultTitle(read);
    console.Line("[offset {}] {}", read.offset, title.empty() ? read.reason : title);
    if (!title.empty()) console.Line("[additional info] {}", read.reason);
    console.Line("[additional info] While doing: {}", RdbDoing(read));
    if (read.in_value) {
      console.Line("[additional info] Reading key '{}'", Shown(read.key));
      console.Line("[additional info] Reading type {} ({})", read.record_code,
                   ValueCodeName(read.record_code));
      // One whose value is broken was read, too; one that is refused (it is there twice) was counted.
      if (read.kind != RdbError::Kind::kRefused) ++keys;
    }
  }
  console.Line("[info] {} keys read", keys);
  console.Line("[info] {} expires", report.expiring);
  console.Line("[info] {} already expired", report.expired);
}

}  // namespace pinyon
