// What SCAN, HSCAN, SSCAN and ZSCAN share: cursors as Redis reads them, the options, and the way a reply
// begins.
//
//   uint64_t cursor;
//   if (!ParseCursor(call, 2, &cursor)) return;                        // "ERR invalid cursor" was replied
//   EntryRef ref;
//   if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;      // WRONGTYPE comes before the options
//   if (!ref) return ReplyEmptyScan(call);                             // and so does a key that is not there
//   ScanOptions options;
//   if (!ParseScanOptions(call, 3, 0, &options)) return;
//   ... collect what options.Matches, then
//   ReplyScanHeader(call, cursor, count);                              // and `count` bulks
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

// The options beside MATCH and COUNT that a command knows.
enum ScanExtra : uint32_t { kScanType = 1u << 0, kScanNoValues = 1u << 1 };

struct ScanOptions {
  size_t count = 10;
  std::string_view pattern = "*";
  std::string_view type = {};
  bool has_type = false;
  bool no_values = false;

  bool MatchesAll() const { return pattern == "*"; }
  bool Matches(std::string_view text) const;
};

// The cursor in argument `index`; false after the error.
bool ParseCursor(Call& call, size_t index, uint64_t* cursor);

// The options from argument `first` to the end, of which `extra` (ScanExtra) are known; false after the
// error.
bool ParseScanOptions(Call& call, size_t first, uint32_t extra, ScanOptions* options);

// The cursor where the scan goes on, and the header of the array of what was found.
void ReplyScanHeader(Call& call, uint64_t cursor, size_t count);
inline void ReplyEmptyScan(Call& call) { ReplyScanHeader(call, 0, 0); }

}  // namespace pinyon
