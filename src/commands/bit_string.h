// What SETBIT, GETBIT and BITFIELD share: bit offsets as arguments, and strings made ready for writing bits.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

inline constexpr std::string_view kErrBitOffset = "ERR bit offset is not an integer or out of range";

// What a bit offset names must lie within the longest string that a client may send.
inline bool CheckBitOffset(const Engine& engine, uint64_t value, uint64_t* offset) {
  if ((value >> 3) >= static_cast<uint64_t>(engine.options.proto_max_bulk_len)) return false;
  *offset = value;
  return true;
}
inline bool ParseBitOffset(const Engine& engine, std::string_view text, uint64_t* offset) {
  int64_t value;
  return ParseInt64(text, &value) && value >= 0 &&
         CheckBitOffset(engine, static_cast<uint64_t>(value), offset);
}

// Makes the string at key argument 1, of which `ref` is the Find result, raw and `length` bytes long (not
// shorter than it is), created if there is none, for writing through MutableBytes.
inline EntryRef PrepareBits(Call& call, EntryRef ref, size_t length) {
  if (!ref) {
    const std::string_view key = call.args[1];
    ref = call.db.SetString(ref, key, call.KeyHash(1), "", kNoExpiry);
    call.Notify(call.session.database, kNotifyNew, "new", key);
  } else if (ref->encoding() == Encoding::kRaw && ref->StringLength() == length) {
    // Spares a string within its entry the move to a block of its own, which is for those that grow.
    const SharedBlock* block = ref->block();
    if (block == nullptr || !block->IsShared()) return ref;
  }
  return call.db.EditString(ref, length);
}

}  // namespace pinyon
