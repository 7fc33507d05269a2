#include "commands/debug_collections.h"

#include <fmt/core.h>

#include <cstdio>

#include "commands/data_digest.h"
#include "commands/serialized_size.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/member.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

// Laid out as Redis lays it out, with the numbers that these tables have.
template <typename Item>
std::string DescribeTable(const HashTable<Item>& table, bool full) {
  const std::string title = "Hash table 0 stats (main hash table):\n";
  if (table.size() == 0) return title + "No stats available for empty dictionaries\n";
  const double load = 100.0 * static_cast<double>(table.size()) / static_cast<double>(table.SlotCapacity());
  std::string text = title + fmt::format(" table size: {}\n number of elements: {}\n load: {:.2f}%\n",
                                         table.SlotCapacity(), table.size(), load);
  if (!full) return text;
  const size_t bytes = table.OverheadBytes();
  return text + fmt::format(
                    " segments: {}\n directory depth: {}\n table bytes: {}\n"
                    " table bytes per element: {:.2f}\n",
                    table.SegmentCount(), table.DirectoryDepth(), bytes,
                    static_cast<double>(bytes) / static_cast<double>(table.size()));
}

bool WantsFull(Call& call) { return call.argc() == 4 && call.Is(3, "full"); }

// The entry of argument 2, as it is; null after the error.
const Entry* FindEntry(Call& call) {
  const EntryRef ref = call.db.Peek(call.args[2]);
  if (!ref) call.reply.Error(kErrNoSuchKey);
  return ref ? ref.entry() : nullptr;
}

const ChunkedList* ListOf(const Entry* entry) {
  if (entry->encoding() != Encoding::kQuicklist) return nullptr;
  return static_cast<const ChunkedList*>(entry->pointer());
}

void PrintListpack(ListpackView listpack) {
  fmt::print("{{total bytes {}}} {{num entries {}}}\n", listpack.bytes(), listpack.size());
  for (auto at = listpack.First(); at != ListpackView::kEnd; at = listpack.Next(at)) {
    const PackedElement element = listpack.Get(at);
    if (element.is_integer) {
      fmt::print("{{offset {}, integer}} {}\n", at, element.integer);
    } else {
      constexpr size_t kMaxShown = 40;
      fmt::print("{{offset {}, {} bytes}} {}\n", at, element.text.size(),
                 QuoteForLog(element.text.substr(0, kMaxShown)));
    }
  }
}

// What DEBUG OBJECT adds for a list in chunks.
std::string DescribeList(const ChunkedList& list, int64_t fill) {
  size_t bytes = 0;
  list.ForEachChunk([&bytes](const ListChunk& chunk) { bytes += chunk.bytes; });
  return fmt::format(
      " ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{}",
      list.chunk_count(), static_cast<double>(list.size()) / static_cast<double>(list.chunk_count()), fill,
      list.compress_depth() > 0 ? 1 : 0, bytes);
}

}  // namespace

std::string DescribeDatabase(const Database& db, bool full) {
  std::string text = "[Dictionary HT]\n" + DescribeTable(db.table(), full);
  text += "[Expires HT]\nHash table 0 stats (main hash table):\n";
  text += db.expiring() == 0 ? "No stats available for empty dictionaries\n"
                             : fmt::format(" number of elements: {}\n", db.expiring());
  return text;
}

// DEBUG HTSTATS dbid [full]
void DebugHtStats(Call& call) {
  int64_t index;
  if (!call.Int(2, &index)) return;
  if (index < 0 || index >= call.engine.keyspace.DatabaseCount()) {
    return call.reply.Error("ERR Out of range database");
  }
  const Database& db = call.engine.keyspace.database(static_cast<int>(index));
  call.reply.Verbatim("txt", DescribeDatabase(db, WantsFull(call)));
}

// DEBUG HTSTATS-KEY key [full]
void DebugHtStatsKey(Call& call) {
  const Entry* entry = FindEntry(call);
  if (entry == nullptr) return;
  const bool full = WantsFull(call);
  if (entry->encoding() == Encoding::kSkiplist) {
    const auto& zset = *static_cast<const SortedSet*>(entry->pointer());
    return call.reply.Verbatim("txt", DescribeTable(zset.index(), full));
  }
  if (entry->encoding() != Encoding::kHashtable) {
    return call.reply.Error(
        "ERR The value stored at the specified key is not represented using an hash table");
  }
  call.reply.Verbatim("txt", entry->type() == ValueType::kSet
                                 ? DescribeTable(*static_cast<const MemberTable*>(entry->pointer()), full)
                                 : DescribeTable(*static_cast<const FieldTable*>(entry->pointer()), full));
}

// DEBUG LISTPACK key
void DebugListpack(Call& call) {
  const Entry* entry = FindEntry(call);
  if (entry == nullptr) return;
  if (entry->encoding() != Encoding::kListpack) return call.reply.Error("ERR Not a listpack encoded object.");
  PrintListpack(ListpackView(entry->packed()));
  std::fflush(stdout);
  call.reply.SimpleString("Listpack structure printed on stdout");
}

// DEBUG QUICKLIST key [full]: `full` is 1 for the chunks' contents
void DebugQuicklist(Call& call) {
  const Entry* entry = FindEntry(call);
  if (entry == nullptr) return;
  const ChunkedList* list = ListOf(entry);
  if (list == nullptr) return call.reply.Error("ERR Not a quicklist encoded object.");
  const bool full = call.argc() == 4 && call.args[3] != "0";
  fmt::print("{{count {}}} {{nodes {}}} {{compress {}}}\n", list->size(), list->chunk_count(),
             list->compress_depth());
  list->ForEachChunk([full](const ListChunk& chunk) {
    const char* const kind = chunk.is_compressed ? "compressed" : chunk.is_plain ? "plain" : "packed";
    fmt::print("{{{}, {} bytes}}\n", kind, chunk.bytes);
    if (full && !chunk.is_compressed && !chunk.is_plain) PrintListpack(ListpackView(chunk.listpack()));
  });
  std::fflush(stdout);
  call.reply.SimpleString("Quicklist structure printed on stdout");
}

// DEBUG QUICKLIST-PACKED-THRESHOLD size
void DebugQuicklistPackedThreshold(Call& call) {
  // The length of an element in its listpack must stay below what four bytes say, with some room.
  constexpr uint64_t kMaxThreshold = (uint64_t{1} << 32) - (uint64_t{1} << 20);
  uint64_t threshold;
  if (!ParseMemory(call.args[2], &threshold) || threshold > kMaxThreshold) {
    return call.reply.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  const EncodingLimits defaults;
  call.engine.options.encoding.list_packed_threshold =
      threshold != 0 ? static_cast<int64_t>(threshold) : defaults.list_packed_threshold;
  call.reply.Ok();
}

// DEBUG OBJECT key
void DebugObject(Call& call) {
  const Entry* entry = FindEntry(call);
  if (entry == nullptr) return;
  const uint32_t idle_seconds = call.engine.keyspace.IdleSeconds(entry);
  std::string text =
      fmt::format("Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
                  static_cast<const void*>(entry), EncodingName(entry->encoding()), SerializedBytes(entry),
                  entry->access(), idle_seconds);
  if (const ChunkedList* list = ListOf(entry); list != nullptr) {
    text += DescribeList(*list, call.engine.keyspace.encoding_limits().list_max_listpack_size);
  }
  call.reply.SimpleString(text);
}

// DEBUG DIGEST
void DebugDigest(Call& call) {
  call.reply.SimpleString(DataDigest::Hex(DataDigest::OfKeyspace(call.engine.keyspace)));
}

// DEBUG DIGEST-VALUE key [key ...]
void DebugDigestValue(Call& call) {
  call.reply.ArrayHeader(call.argc() - 2);
  for (const std::string_view key : call.args.subspan(2)) {
    const EntryRef ref = call.db.Peek(key);
    const Sha1Digest digest = ref ? DataDigest::OfValue(ref.entry(), call.now_ms()) : Sha1Digest{};
    call.reply.SimpleString(DataDigest::Hex(digest));
  }
}

// DEBUG POPULATE count [prefix] [size]: keys "prefix:0", "prefix:1", ... with the values "value:0", ..., cut
// or filled with zero bytes to a size. Keys that exist stay. Nothing propagates.
void DebugPopulate(Call& call) {
  const auto parse = [&call](size_t index, int64_t* value) {
    return (ParseInt64(call.args[index], value) && *value >= 0) || call.Fail(kErrMustBePositive);
  };
  int64_t count, size = 0;
  if (!parse(2, &count)) return;
  if (call.argc() == 5 && !parse(4, &size)) return;
  if (size > call.engine.options.proto_max_bulk_len) return call.reply.Error(kErrStringTooLong);
  const std::string_view prefix = call.argc() > 3 ? call.args[3] : "key";
  for (int64_t i = 0; i < count; ++i) {
    const std::string key = fmt::format("{}:{}", prefix, i);
    if (call.db.Find(key)) continue;
    std::string value = fmt::format("value:{}", i);
    if (size > 0) value.resize(static_cast<size_t>(size));
    call.db.SetString(key, value, kNoExpiry);
    call.Notify(call.session.database, kNotifyNew, "new", key);
    call.SignalModified(call.session.database, key);
  }
  call.reply.Ok();
}

// DEBUG DICT-RESIZING 0|1
void DebugDictResizing(Call& call) {
  int64_t enabled = 0;
  if (!call.Int(2, &enabled)) return;
  call.engine.server.SetTableMaintenance(enabled != 0);
  call.reply.Ok();
}

}  // namespace pinyon
