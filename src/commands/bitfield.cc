// Bit fields: integers of any width at any bit of a string, read and changed several at a time. All
// operations are parsed before the first is carried out, and the string grows once, to the end of the last
// field that is written.
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

constexpr std::string_view kErrFieldType =
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
constexpr std::string_view kErrOverflowType = "ERR Invalid OVERFLOW type specified";
constexpr std::string_view kErrReadOnly = "ERR BITFIELD_RO only supports the GET subcommand";

enum class FieldAction : uint8_t { kGet, kSet, kIncrement };

struct FieldOperation {
  FieldAction action;
  bits::FieldType type;
  bits::Overflow overflow;
  uint64_t offset;
  int64_t value;  // to set, or to add
};

struct FieldOperations {
  std::vector<FieldOperation> list;
  bool writes = false;
  uint64_t written_bytes = 0;  // the string's length that the written fields need
};

// "i1" to "i64", "u1" to "u63".
bool ParseFieldType(std::string_view text, bits::FieldType* type) {
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return false;
  const bool is_signed = text[0] == 'i';
  int64_t width;
  if (!ParseInt64(text.substr(1), &width) || width < 1 || width > (is_signed ? 64 : 63)) return false;
  *type = {.is_signed = is_signed, .width = static_cast<uint8_t>(width)};
  return true;
}

// An offset in bits, or with '#' in front in fields of the same width.
bool ParseFieldOffset(const Engine& engine, std::string_view text, bits::FieldType type, uint64_t* offset) {
  if (text.empty() || text[0] != '#') return ParseBitOffset(engine, text, offset);
  int64_t index;
  if (!ParseInt64(text.substr(1), &index) || index < 0) return false;
  // A product that does not fit in 64 bits wraps around, in Redis 7.0 too (probed).
  const uint64_t product = static_cast<uint64_t>(index) * type.width;
  return static_cast<int64_t>(product) >= 0 && CheckBitOffset(engine, product, offset);
}

std::optional<bits::Overflow> ParseOverflow(const Call& call, size_t index) {
  if (call.Is(index, "wrap")) return bits::Overflow::kWrap;
  if (call.Is(index, "sat")) return bits::Overflow::kSaturate;
  if (call.Is(index, "fail")) return bits::Overflow::kFail;
  return std::nullopt;
}

std::optional<FieldAction> ParseAction(const Call& call, size_t index) {
  if (call.Is(index, "get")) return FieldAction::kGet;
  if (call.Is(index, "set")) return FieldAction::kSet;
  if (call.Is(index, "incrby")) return FieldAction::kIncrement;
  return std::nullopt;
}

// Replies the error itself.
bool ParseOperations(Call& call, FieldOperations* operations) {
  bits::Overflow overflow = bits::Overflow::kWrap;
  operations->list.reserve((call.argc() - 2) / 3);
  for (size_t i = 2; i < call.argc();) {
    const size_t following = call.argc() - i - 1;
    if (call.Is(i, "overflow") && following >= 1) {
      const auto parsed = ParseOverflow(call, i + 1);
      if (!parsed) return call.Fail(kErrOverflowType);
      overflow = *parsed;
      i += 2;
      continue;
    }
    const auto action = ParseAction(call, i);
    if (!action) return call.SyntaxError();
    const size_t needed = *action == FieldAction::kGet ? 2 : 3;
    if (following < needed) return call.SyntaxError();

    FieldOperation operation{.action = *action, .type = {}, .overflow = overflow, .offset = 0, .value = 0};
    if (!ParseFieldType(call.args[i + 1], &operation.type)) return call.Fail(kErrFieldType);
    if (!ParseFieldOffset(call.engine, call.args[i + 2], operation.type, &operation.offset)) {
      return call.Fail(kErrBitOffset);
    }
    if (*action != FieldAction::kGet) {
      if (!call.Int(i + 3, &operation.value)) return false;
      operations->writes = true;
      const uint64_t last_bit = operation.offset + operation.type.width - 1;
      operations->written_bytes = std::max(operations->written_bytes, (last_bit >> 3) + 1);
    }
    operations->list.push_back(operation);
    i += 1 + needed;
  }
  return true;
}

// Every operation reads.
void ReadFields(Call& call, const FieldOperations& operations) {
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  IntegerText text;
  const std::string_view bytes = ref ? ref->StringBytes(text) : std::string_view();
  call.reply.ArrayHeader(operations.list.size());
  for (const FieldOperation& operation : operations.list) {
    call.reply.Integer(bits::GetField(bytes, operation.type, operation.offset));
  }
}

// Carries out one operation and replies; returns whether a value was written that differs from the old one,
// or, in a string that has `grown`, any value.
bool RunOperation(ReplyWriter& reply, EntryRef ref, const FieldOperation& operation, bool grown) {
  const bits::FieldType type = operation.type;
  const int64_t old_value = bits::GetField(ref->StoredBytes(), type, operation.offset);
  if (operation.action == FieldAction::kGet) {
    reply.Integer(old_value);
    return false;
  }
  const bool sets = operation.action == FieldAction::kSet;
  const auto new_value = sets ? bits::FitValue(type, operation.value, operation.overflow)
                              : bits::FitSum(type, old_value, operation.value, operation.overflow);
  if (!new_value) {
    reply.Null();
    return false;
  }
  reply.Integer(sets ? old_value : *new_value);
  bits::SetField(ref->MutableBytes(), type, operation.offset, *new_value);
  return grown || *new_value != old_value;
}

void WriteFields(Call& call, const FieldOperations& operations) {
  EntryRef ref;
  if (!call.FindStringForWrite(1, &ref)) return;
  const size_t old_length = ref ? ref->StringLength() : 0;
  const size_t length = std::max<size_t>(old_length, operations.written_bytes);
  const bool grown = length > old_length;
  ref = PrepareBits(call, ref, length);

  int64_t changes = 0;
  call.reply.ArrayHeader(operations.list.size());
  for (const FieldOperation& operation : operations.list) {
    if (RunOperation(call.reply, ref, operation, grown)) ++changes;
  }
  if (changes > 0) {
    call.Changed(kNotifyString, "setbit", call.args[1], changes);
  } else if (grown && call.Propagating()) {
    // Every write failed by OVERFLOW FAIL, but the string is longer: to Redis no change, yet who replays what
    // we propagate must come to the same bytes.
    call.PropagateAs(call.args);
  }
}

// Only read, unless an operation is no GET. Their arguments are not looked at.
uint32_t BitFieldKeyFlags(Args args) {
  for (size_t i = 2; i < args.size();) {
    const size_t following = args.size() - i - 1;
    if (EqualsIgnoreCase(args[i], "get") && following >= 2) {
      i += 3;
    } else if (EqualsIgnoreCase(args[i], "overflow") && following >= 1) {
      i += 2;
    } else {
      return kKeyRW | kKeyAccess | kKeyUpdate;
    }
  }
  return kKeyRO | kKeyAccess;
}

// BITFIELD key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] SET encoding offset value | INCRBY ...]
// ...
void BitField(Call& call) {
  FieldOperations operations;
  if (!ParseOperations(call, &operations)) return;
  if (operations.writes) {
    WriteFields(call, operations);
  } else {
    ReadFields(call, operations);
  }
}

// BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]
void BitFieldReadOnly(Call& call) {
  FieldOperations operations;
  if (!ParseOperations(call, &operations)) return;
  if (operations.writes) return call.reply.Error(kErrReadOnly);
  ReadFields(call, operations);
}

constexpr CommandSpec kBitfieldCommands[] = {
    {.name = "bitfield",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .handler = BitField,
     .acl = kAclBitmap,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
               .begin = KeySpec::Begin::kIndex,
               .index = 1,
               .notes = "This command allows both access and modification of the key"}},
     .key_flags = BitFieldKeyFlags,
     .group = "bitmap",
     .since = "3.2.0",
     .complexity = "O(1) for each subcommand specified",
     .summary = "Reads, sets and increments integers of any width within a string",
     .syntax = "key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
               "INCRBY encoding "
               "offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset "
               "value | "
               "INCRBY encoding offset increment> ...]]"},
    {.name = "bitfield_ro",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .handler = BitFieldReadOnly,
     .acl = kAclBitmap,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "bitmap",
     .since = "6.0.0",
     .complexity = "O(1) for each subcommand specified",
     .summary = "Reads integers of any width within a string",
     .syntax = "key [GET encoding offset [GET encoding offset ...]]"},
};

}  // namespace

std::span<const CommandSpec> BitfieldCommands() { return kBitfieldCommands; }

}  // namespace pinyon
