// DEBUG: looking inside, and breaking things on purpose. Who may use it at all (enable-debug-command) is
// checked by the dispatcher. Subcommands are matched with the number of their arguments, as Redis does; what
// crashes the server takes any number. (debug_collections.cc has those that look at data.)
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "base/alloc.h"
#include "base/glob.h"
#include "base/log.h"
#include "commands/answer.h"
#include "commands/debug_collections.h"
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kHelp[] = {
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ASSERT",
    "    Crash by a failed assertion.",
    "CHANGE-REPL-ID",
    "    Accepted and without effect: there is no replication identity to change.",
    "DICT-RESIZING <0|1>",
    "    With 0, tables of keys stay as large as they are; with 1, they shrink again.",
    "DIGEST",
    "    Reply a digest of all data, the same for the same data on any server.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Reply a digest of the value of each key.",
    "ERROR <string>",
    "    Reply the string as an error.",
    "HTSTATS <dbid> [full]",
    "    Statistics of the table of a database.",
    "HTSTATS-KEY <key> [full]",
    "    Statistics of the table of a large hash, set or sorted set.",
    "JMAP",
    "    Statistics of the tables of all databases that hold keys.",
    "LISTPACK <key>",
    "    Print the listpack of a small collection on the server's standard output.",
    "LOADAOF",
    "    Empty all databases and load the append-only file again.",
    "LOG <message>",
    "    Write the message to the server's log.",
    "OBJECT <key>",
    "    Show how a key and its value are stored.",
    "PANIC",
    "    Crash by a panic.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create string keys named key:<number>, or <prefix>:<number>, with values of",
    "    <size> bytes. Keys that exist are left alone.",
    "PROTOCOL <type>",
    "    Reply a test value of a type: string, integer, double, bignum, null, array,",
    "    set, map, attrib, push, verbatim, true, false.",
    "QUICKLIST <key> [<0|1>]",
    "    Print the chunks of a long list on the server's standard output, with 1 all",
    "    that they hold.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Keep list elements of at least that size in a chunk of their own; 0 restores",
    "    the default.",
    "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
    "    Save a snapshot, empty all databases, and load it again. With MERGE, keys that",
    "    are there already are replaced.",
    "SDSLEN <key>",
    "    Show the lengths and the memory of a key and its string.",
    "SEGFAULT",
    "    Crash by an invalid memory access.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    With 0, keys expire only when they are accessed; with 1, on their own again.",
    "SLEEP <seconds>",
    "    Stop the server for that long. Decimals allowed.",
    "STRINGMATCH-LEN <pattern> <string>",
    "    Reply whether a glob-style pattern matches a string.",
    "HELP",
    "    Print this help.",
};

void Help(Call& call) {
  call.reply.ArrayHeader(std::size(kHelp));
  for (const std::string_view line : kHelp) call.reply.SimpleString(line);
}

[[noreturn]] void Die() {
  PrintStackTrace();
  std::abort();
}

void Segfault(Call&) {
  // Volatile, so that the compiler does not see through it.
  volatile uintptr_t nowhere = 0;
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): that is what it is for.
  *reinterpret_cast<volatile char*>(nowhere) = 1;
  Die();
}

void Panic(Call& call) {
  call.engine.log.Warning("DEBUG PANIC called at Unix time {}", call.now_ms() / 1000);
  Die();
}

void Assert(Call& call) { PINYON_CHECK(call.argc() == 0); }

// As atof reads it: what is no number is 0.
double LeadingNumber(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

void Sleep(Call& call) {
  const double seconds = LeadingNumber(call.args[2]);
  constexpr double kMaxSeconds = 1e9;
  if (seconds > 0 && seconds <= kMaxSeconds) {
    const auto nanoseconds = static_cast<int64_t>(seconds * 1e9);
    timespec left{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }
  call.reply.Ok();
}

void SdsLen(Call& call) {
  const EntryRef ref = call.db.Peek(call.args[2]);
  if (!ref) return call.reply.Error(kErrNoSuchKey);
  const Entry* entry = ref.entry();
  if (entry->type() != ValueType::kString || entry->IsInteger()) {
    return call.reply.Error("ERR Not an sds encoded string.");
  }
  const SharedBlock* block = entry->block();
  const size_t length = entry->StringLength();
  const size_t available = block != nullptr ? block->capacity() - length : 0;
  const size_t value_bytes = block != nullptr ? mem::UsableSize(block->AllocatedBytes()) : 0;
  call.reply.SimpleString(
      fmt::format("key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, "
                  "val_sds_avail:{}, val_zmalloc: {}",
                  entry->key().size(), mem::UsableSize(entry->EntryBytes()), length, available, value_bytes));
}

void SetActiveExpire(Call& call) {
  call.engine.server.SetActiveExpiry(LeadingNumber(call.args[2]) != 0);
  call.reply.Ok();
}

void JMap(Call& call) {
  std::string text;
  for (int i = 0; i < call.engine.keyspace.DatabaseCount(); ++i) {
    const Database& db = call.engine.keyspace.database(i);
    if (db.size() > 0) text += fmt::format("# db{}\n{}", i, DescribeDatabase(db, true));
  }
  const mem::SlabStats slabs = mem::GetSlabStats();
  text +=
      fmt::format("# memory\n used bytes: {}\n slab bytes: {}\n slab bytes used: {}\n slab bytes empty: {}\n",
                  mem::UsedBytes(), slabs.slab_bytes, slabs.used_bytes, slabs.empty_bytes);
  call.reply.Verbatim("txt", text);
}

// Line breaks at the end are kept as spaces here, unlike in other errors.
void Error(Call& call) {
  std::string text(call.args[2]);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  call.reply.Error(text);
}

void WriteLog(Call& call) {
  const std::string_view message = call.args[2];
  // Only text that cannot forge a line is written as it is.
  const bool is_plain =
      std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; });
  call.engine.log.Warning("DEBUG LOG: {}", is_plain ? std::string(message) : QuoteForLog(message));
  call.reply.Ok();
}

void StringMatchLen(Call& call) { call.reply.Integer(GlobMatch(call.args[2], call.args[3])); }

void ChangeReplId(Call& call) { call.reply.Ok(); }

void ReplyAttribute(ReplyWriter& reply) {
  // The attribute type exists in RESP3 only; older clients get just the reply that it belongs to.
  if (reply.resp3()) {
    reply.sink().Append("|1\r\n");
    reply.Bulk("key-popularity");
    reply.ArrayHeader(2);
    reply.Bulk("key:123");
    reply.Integer(90);
  }
  reply.Bulk("Some real reply following the attribute");
}

void ReplyPush(ReplyWriter& reply) {
  if (!reply.resp3()) return reply.Error("ERR RESP2 is not supported by this command");
  reply.PushHeader(2);
  reply.Bulk("server-cpu-usage");
  reply.Integer(42);
  reply.Bulk("Some real reply following the push reply");
}

void ReplyAggregate(ReplyWriter& reply, std::string_view type) {
  if (type == "map") {
    reply.MapHeader(3);
    for (int i = 0; i < 3; ++i) {
      reply.Integer(i);
      reply.Boolean(i == 1);
    }
    return;
  }
  type == "set" ? reply.SetHeader(3) : reply.ArrayHeader(3);
  for (int i = 0; i < 3; ++i) reply.Integer(i);
}

void Protocol(Call& call) {
  ReplyWriter& reply = call.reply;
  const std::string type = ToLower(call.args[2]);
  if (type == "string") return reply.Bulk("Hello World");
  if (type == "integer") return reply.Integer(12345);
  if (type == "double") return reply.Double(3.141);
  if (type == "null") return reply.Null();
  if (type == "array" || type == "set" || type == "map") return ReplyAggregate(reply, type);
  if (type == "attrib") return ReplyAttribute(reply);
  if (type == "push") return ReplyPush(reply);
  if (type == "verbatim") return reply.Verbatim("txt", "This is a verbatim\nstring");
  if (type == "true") return reply.Boolean(true);
  if (type == "false") return reply.Boolean(false);
  if (type == "bignum") return reply.BigNumber("1234567999999999999999999999999999999");
  reply.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

void Reload(Call& call) {
  PersistenceControl::ReloadOptions options;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.Is(i, "merge")) {
      options.merge = true;
    } else if (call.Is(i, "noflush")) {
      options.flush = false;
    } else if (call.Is(i, "nosave")) {
      options.save = false;
    } else {
      return call.reply.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  ReplyAnswer(call, call.engine.persistence->Reload(options));
}

void LoadAof(Call& call) { ReplyAnswer(call, call.engine.persistence->ReloadLog()); }

struct DebugSubcommand {
  std::string_view name;  // lower case
  size_t min_argc;        // with DEBUG and the name
  size_t max_argc;
  Handler handler;
};

constexpr size_t kAnyNumber = SIZE_MAX;

constexpr DebugSubcommand kDebugSubcommands[] = {
    {"help", 2, 2, Help},
    {"segfault", 2, kAnyNumber, Segfault},
    {"panic", 2, kAnyNumber, Panic},
    {"assert", 2, kAnyNumber, Assert},
    {"sleep", 3, 3, Sleep},
    {"reload", 2, kAnyNumber, Reload},
    {"loadaof", 2, 2, LoadAof},
    {"object", 3, 3, DebugObject},
    {"sdslen", 3, 3, SdsLen},
    {"listpack", 3, 3, DebugListpack},
    {"quicklist", 3, 4, DebugQuicklist},
    {"quicklist-packed-threshold", 3, 3, DebugQuicklistPackedThreshold},
    {"digest", 2, 2, DebugDigest},
    {"digest-value", 2, kAnyNumber, DebugDigestValue},
    {"populate", 3, 5, DebugPopulate},
    {"set-active-expire", 3, 3, SetActiveExpire},
    {"dict-resizing", 3, 3, DebugDictResizing},
    {"htstats", 3, 4, DebugHtStats},
    {"htstats-key", 3, 4, DebugHtStatsKey},
    {"jmap", 2, 2, JMap},
    {"error", 3, 3, Error},
    {"log", 3, 3, WriteLog},
    {"stringmatch-len", 4, 4, StringMatchLen},
    {"change-repl-id", 2, 2, ChangeReplId},
    {"protocol", 3, 3, Protocol},
};

// DEBUG subcommand [argument ...]
void Debug(Call& call) {
  for (const DebugSubcommand& subcommand : kDebugSubcommands) {
    if (!call.Is(1, subcommand.name)) continue;
    if (call.argc() < subcommand.min_argc || call.argc() > subcommand.max_argc) break;
    return subcommand.handler(call);
  }
  // Redis echoes it as a C string.
  constexpr size_t kMaxEchoedBytes = 128;
  const std::string_view name = call.args[1].substr(0, call.args[1].find('\0')).substr(0, kMaxEchoedBytes);
  call.reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.", name));
}

constexpr CommandSpec kDebugCommands[] = {
    {.name = "debug",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kProtectedDebug | kSystemCommand,
     .handler = Debug,
     .group = "server",
     .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Looks inside the server, or makes it fail, for debugging"},
};

}  // namespace

std::span<const CommandSpec> DebugCommands() { return kDebugCommands; }

}  // namespace pinyon
