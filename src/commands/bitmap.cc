// Bitmaps: strings read, written, counted, searched and combined bit by bit. Ranges of bytes and of bits
// alike are turned into a first and a last bit before types/bits.h sees them.
#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "commands/bit_string.h"
#include "commands/families.h"
#include "engine/call.h"
#include "types/bits.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrBitValue = "ERR bit is not an integer or out of range";
constexpr std::string_view kErrBitSearched = "ERR The bit argument must be 1 or 0.";
constexpr std::string_view kErrNotSources = "ERR BITOP NOT must be called with a single source key.";

// SETBIT key offset value
void SetBit(Call& call) {
  uint64_t offset;
  if (!ParseBitOffset(call.engine, call.args[2], &offset)) return call.reply.Error(kErrBitOffset);
  int64_t bit;
  if (!call.Int(3, &bit, kErrBitValue)) return;
  if (bit != 0 && bit != 1) return call.reply.Error(kErrBitValue);
  EntryRef ref;
  if (!call.FindStringForWrite(1, &ref)) return;

  size_t old_length = 0;
  bool old_bit = false;
  if (ref) {
    IntegerText text;
    const std::string_view bytes = ref->StringBytes(text);
    old_length = bytes.size();
    old_bit = bits::GetBit(bytes, offset);
  }
  const size_t length = std::max<size_t>(old_length, (offset >> 3) + 1);
  const bool changes = length != old_length || old_bit != (bit != 0);
  // The string becomes raw even when its bytes stay.
  if (changes || ref->encoding() != Encoding::kRaw) ref = PrepareBits(call, ref, length);
  if (changes) {
    bits::SetBit(ref->MutableBytes(), offset, bit != 0);
    call.Changed(kNotifyString, "setbit", call.args[1]);
  }
  call.reply.Integer(old_bit);
}

// GETBIT key offset
void GetBit(Call& call) {
  uint64_t offset;
  if (!ParseBitOffset(call.engine, call.args[2], &offset)) return call.reply.Error(kErrBitOffset);
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  IntegerText text;
  call.reply.Integer(ref && bits::GetBit(ref->StringBytes(text), offset));
}

// A range as BITCOUNT and BITPOS take it: bytes or bits, counted from the end when negative.
struct Range {
  int64_t start = 0;
  int64_t end = -1;
  bool in_bits = false;
};

struct BitRange {
  uint64_t first;
  uint64_t last;
};

// The bits of a string of `length` bytes that lie in a range, none when it is empty.
std::optional<BitRange> ResolveRange(const Range& range, size_t length) {
  const int64_t units = static_cast<int64_t>(range.in_bits ? length * 8 : length);
  const int64_t start = std::max<int64_t>(range.start < 0 ? range.start + units : range.start, 0);
  const int64_t end =
      std::min<int64_t>(std::max<int64_t>(range.end < 0 ? range.end + units : range.end, 0), units - 1);
  if (start > end) return std::nullopt;
  const uint64_t first = static_cast<uint64_t>(start);
  const uint64_t last = static_cast<uint64_t>(end);
  if (range.in_bits) return BitRange{first, last};
  return BitRange{first * 8, last * 8 + 7};
}

bool ParseUnit(Call& call, size_t index, bool* in_bits) {
  if (call.Is(index, "bit")) {
    *in_bits = true;
  } else if (!call.Is(index, "byte")) {
    return call.SyntaxError();
  }
  return true;
}

// BITCOUNT key [start end [BYTE | BIT]]
void BitCount(Call& call) {
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  // A missing key is answered before the arguments are looked at.
  if (!ref) return call.reply.Integer(0);
  IntegerText text;
  const std::string_view bytes = ref->StringBytes(text);
  if (call.argc() == 2) return call.reply.Integer(static_cast<int64_t>(bits::Count(bytes)));

  if (call.argc() != 4 && call.argc() != 5) return call.reply.Error(kErrSyntax);
  Range range;
  if (!call.Int(2, &range.start) || !call.Int(3, &range.end)) return;
  // Out of order and both counted from the end: nothing, though clamped both might mean the first byte, and
  // before the unit is looked at.
  if (range.start < 0 && range.end < 0 && range.start > range.end) return call.reply.Integer(0);
  if (call.argc() == 5 && !ParseUnit(call, 4, &range.in_bits)) return;
  const auto resolved = ResolveRange(range, bytes.size());
  call.reply.Integer(resolved ? static_cast<int64_t>(bits::Count(bytes, resolved->first, resolved->last))
                              : 0);
}

// BITPOS key bit [start [end [BYTE | BIT]]]
void BitPos(Call& call) {
  int64_t bit;
  if (!call.Int(2, &bit)) return;
  if (bit != 0 && bit != 1) return call.reply.Error(kErrBitSearched);
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  // A missing key is endless zeros, and answered before the other arguments are looked at.
  if (!ref) return call.reply.Integer(bit == 0 ? 0 : -1);

  if (call.argc() > 6) return call.reply.Error(kErrSyntax);
  Range range;
  if (call.argc() > 3 && !call.Int(3, &range.start)) return;
  if (call.argc() == 6 && !ParseUnit(call, 5, &range.in_bits)) return;
  const bool has_end = call.argc() > 4;
  if (has_end && !call.Int(4, &range.end)) return;

  IntegerText text;
  const std::string_view bytes = ref->StringBytes(text);
  const auto resolved = ResolveRange(range, bytes.size());
  if (!resolved) return call.reply.Integer(-1);
  const auto position = bits::Find(bytes, bit != 0, resolved->first, resolved->last);
  if (position) return call.reply.Integer(static_cast<int64_t>(*position));
  // Without an end the string counts as followed by zeros.
  call.reply.Integer(bit == 0 && !has_end ? static_cast<int64_t>(bytes.size() * 8) : -1);
}

std::optional<bits::Operation> ParseOperation(const Call& call, size_t index) {
  if (call.Is(index, "and")) return bits::Operation::kAnd;
  if (call.Is(index, "or")) return bits::Operation::kOr;
  if (call.Is(index, "xor")) return bits::Operation::kXor;
  if (call.Is(index, "not")) return bits::Operation::kNot;
  return std::nullopt;
}

// The bytes of BITOP's source keys, read in place.
struct Sources {
  std::vector<std::string_view> bytes;
  std::vector<IntegerText> texts;  // of those that are integers
  size_t longest = 0;

  void Set(size_t index, EntryRef ref) {
    bytes[index] = ref ? ref->StringBytes(texts[index]) : std::string_view();
    longest = std::max(longest, bytes[index].size());
  }
};

// Looks the source keys up; false after the error reply when one of them is no string.
bool FindSources(Call& call, Sources* sources) {
  constexpr size_t kFirstSource = 3;
  const size_t count = call.argc() - kFirstSource;
  sources->bytes.resize(count);
  sources->texts.resize(count);
  const size_t keys_before = call.db.size();
  for (size_t i = 0; i < count; ++i) {
    EntryRef ref;
    if (!call.FindStringForRead(kFirstSource + i, &ref)) return false;
    sources->Set(i, ref);
  }
  if (call.db.size() == keys_before) return true;
  // A lookup has deleted an expired key, after which entries found before may not be used. Time stands still,
  // so nothing more expires this time.
  for (size_t i = 0; i < count; ++i) sources->Set(i, call.db.Peek(call.args[kFirstSource + i]));
  return true;
}

// Stores BITOP's result under the target key, always as raw.
void StoreCombined(Call& call, bits::Operation operation, const Sources& sources) {
  const std::string_view key = call.args[2];
  const uint64_t hash = call.KeyHash(2);
  const size_t length = sources.longest;
  // The result is complete before anything changes that the sources' bytes may lie in.
  EntryRef ref;
  bool is_new;
  if (length <= kInlineMaxBytes) {
    char combined[kInlineMaxBytes];
    bits::Combine(operation, sources.bytes, combined, length);
    ref = call.FindForWrite(key, hash);
    is_new = !ref;
    ref = call.db.SetString(ref, key, hash, {combined, length}, kNoExpiry);
  } else {
    BlockRef combined(SharedBlock::New(length));
    bits::Combine(operation, sources.bytes, combined->data(), length);
    ref = call.FindForWrite(key, hash);
    is_new = !ref;
    ref = call.db.SetBlock(ref, key, hash, std::move(combined), kNoExpiry);
  }
  if (ref->encoding() != Encoding::kRaw) call.db.EditString(ref, length);
  if (is_new) call.Notify(call.session.database, kNotifyNew, "new", key);
  call.Changed(kNotifyString, "set", key);
}

// BITOP operation destkey key [key ...]
void BitOp(Call& call) {
  const auto operation = ParseOperation(call, 1);
  if (!operation) return call.reply.Error(kErrSyntax);
  if (*operation == bits::Operation::kNot && call.argc() != 4) return call.reply.Error(kErrNotSources);
  Sources sources;
  if (!FindSources(call, &sources)) return;

  if (sources.longest > 0) {
    StoreCombined(call, *operation, sources);
  } else if (const EntryRef target = call.FindForWrite(2)) {
    call.db.Delete(target);
    call.Changed(kNotifyGeneric, "del", call.args[2]);
  }
  call.reply.Integer(static_cast<int64_t>(sources.longest));
}

constexpr CommandSpec kBitmapCommands[] = {
    {.name = "setbit",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .handler = SetBit,
     .acl = kAclBitmap,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyUpdate)},
     .group = "bitmap",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Writes one bit of a string, lengthening it with zeros as needed",
     .syntax = "key offset value"},
    {.name = "getbit",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .handler = GetBit,
     .acl = kAclBitmap,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "bitmap",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Reads one bit of a string",
     .syntax = "key offset"},
    {.name = "bitcount",
     .arity = -2,
     .flags = kReadOnly,
     .handler = BitCount,
     .acl = kAclBitmap,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "bitmap",
     .since = "2.6.0",
     .complexity = "O(N)",
     .summary = "Counts the bits that are set in a string or in a range of it",
     .syntax = "key [start end [BYTE | BIT]]",
     .history = {{"7.0.0", "Added the `BYTE|BIT` option."}}},
    {.name = "bitpos",
     .arity = -3,
     .flags = kReadOnly,
     .handler = BitPos,
     .acl = kAclBitmap,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "bitmap",
     .since = "2.8.7",
     .complexity = "O(N)",
     .summary = "Finds the first bit that is set, or not set, in a string or in a range of it",
     .syntax = "key bit [start [end [BYTE | BIT]]]",
     .history = {{"7.0.0", "Added the `BYTE|BIT` option."}}},
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = BitOp,
     .acl = kAclBitmap,
     .keys = {KeyAt(2, kKeyOW | kKeyUpdate), KeysFrom(3, kKeyRO | kKeyAccess)},
     .group = "bitmap",
     .since = "2.6.0",
     .complexity = "O(N)",
     .summary = "Combines strings bit by bit and stores the result",
     .syntax = "operation destkey key [key ...]"},
};

}  // namespace

std::span<const CommandSpec> BitmapCommands() { return kBitmapCommands; }

}  // namespace pinyon
