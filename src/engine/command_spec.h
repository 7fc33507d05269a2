// What a command is, declared once in its family's table (commands/*.cc) and read by everybody: arity checks,
// routing, ACLs, COMMAND *, key extraction and prefetching, documentation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pinyon {

class Call;
using Handler = void (*)(Call&);
using Args = std::span<const std::string_view>;

// Names as COMMAND INFO prints them are in command_spec.cc, in Redis's order.
enum CommandFlags : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kModuleFlag = 1u << 3,
  kAdmin = 1u << 4,
  kPubsub = 1u << 5,
  kNoScript = 1u << 6,
  kBlocking = 1u << 7,
  kLoading = 1u << 8,
  kStale = 1u << 9,
  kSkipMonitor = 1u << 10,
  kSkipSlowlog = 1u << 11,
  kAsking = 1u << 12,
  kFast = 1u << 13,
  kNoAuth = 1u << 14,
  kMayReplicate = 1u << 15,
  kNoMandatoryKeys = 1u << 16,
  kNoAsyncLoading = 1u << 17,
  kNoMulti = 1u << 18,
  kAllowBusy = 1u << 19,
  kMovableKeys = 1u << 20,  // derived: keys that first/last/step cannot describe
  // Of our own, not printed: what a RESP2 client may run while it listens to channels.
  kForSubscribers = 1u << 27,
  // Likewise: the command changes what the next ones of its connection mean (AUTH, SELECT,
  // ...), so a batch that was parsed ahead ends with it.
  kEndsBatch = 1u << 28,
  // Runs at once within MULTI instead of being queued.
  kRunsInMulti = 1u << 29,
  // Refused unless enable-debug-command allows it.
  kProtectedDebug = 1u << 30,
  // For developers of the server; only COMMAND DOCS says so (syscmd).
  kSystemCommand = 1u << 31,
};

enum AclCategory : uint32_t {
  kAclKeyspace = 1u << 0,
  kAclRead = 1u << 1,
  kAclWrite = 1u << 2,
  kAclSet = 1u << 3,
  kAclSortedSet = 1u << 4,
  kAclList = 1u << 5,
  kAclHash = 1u << 6,
  kAclString = 1u << 7,
  kAclBitmap = 1u << 8,
  kAclHyperLogLog = 1u << 9,
  kAclGeo = 1u << 10,
  kAclStream = 1u << 11,
  kAclPubsub = 1u << 12,
  kAclAdmin = 1u << 13,
  kAclFast = 1u << 14,
  kAclSlow = 1u << 15,
  kAclBlocking = 1u << 16,
  kAclDangerous = 1u << 17,
  kAclConnection = 1u << 18,
  kAclTransaction = 1u << 19,
  kAclScripting = 1u << 20,
};

enum KeySpecFlags : uint32_t {
  kKeyRW = 1u << 0,
  kKeyRO = 1u << 1,
  kKeyOW = 1u << 2,
  kKeyRM = 1u << 3,
  kKeyAccess = 1u << 4,
  kKeyUpdate = 1u << 5,
  kKeyInsert = 1u << 6,
  kKeyDelete = 1u << 7,
  kKeyNotKey = 1u << 8,
  kKeyIncomplete = 1u << 9,
  kKeyVariableFlags = 1u << 10,
};

// Where keys stand among the arguments (the key specifications of the Redis documentation).
struct KeySpec {
  enum class Begin : uint8_t { kNone, kIndex, kKeyword, kUnknown };
  enum class Find : uint8_t { kRange, kKeyNum, kUnknown };
  uint32_t flags = 0;
  Begin begin = Begin::kNone;
  int index = 0;  // kIndex: the argument; kKeyword: where the search starts (negative: from the end)
  const char* keyword = nullptr;
  Find find = Find::kRange;
  int last = 0;   // kRange: relative to the first key, negative: from the end; kKeyNum: first key after
  int step = 1;   //         the number, relative to it
  int limit = 0;  // kRange with last -1: divide what is left by this
  int key_num_index = 0;  // kKeyNum: where the number stands, relative to begin
  const char* notes = nullptr;
};

// The common shapes.
constexpr KeySpec KeyAt(int index, uint32_t flags) {
  return {.flags = flags, .begin = KeySpec::Begin::kIndex, .index = index};
}
constexpr KeySpec KeysFrom(int index, uint32_t flags, int last = -1, int step = 1) {
  return {.flags = flags, .begin = KeySpec::Begin::kIndex, .index = index, .last = last, .step = step};
}
constexpr KeySpec NumKeysAt(int index, uint32_t flags, int first_key = 1, int step = 1) {
  return {.flags = flags,
          .begin = KeySpec::Begin::kIndex,
          .index = index,
          .find = KeySpec::Find::kKeyNum,
          .last = first_key,
          .step = step};
}

// Which arguments are channels, as access rules check them. UNSUBSCRIBE has none: leaving is always allowed.
struct ChannelArgs {
  int first = 0;  // 0: none
  int last = 0;   // negative: from the end
  bool are_patterns = false;
};

struct HistoryNote {
  const char* since = nullptr;
  const char* change = nullptr;
};

inline constexpr int kMaxKeySpecs = 3;
inline constexpr int kMaxHistory = 6;

// Declared with designated initialisers, in this order; all strings are literals.
struct CommandSpec {
  const char* name;  // lower case; of a subcommand, its own part ("getname")
  int arity;         // arguments with the name; negative: at least
  uint32_t flags = 0;
  Handler handler = nullptr;  // null: a container whose subcommands have the handlers
  uint32_t acl = 0;           // explicit categories; read/write/fast/slow/admin/... are derived from flags
  KeySpec keys[kMaxKeySpecs] = {};
  // The argument that names an element of the collection under the first key, 0 for none: looked for ahead in
  // large ones (ElementPrefetch).
  int element = 0;
  // The argument that is that element's new score, 0 for none: its place in a sorted set's order is fetched,
  // too.
  int element_score = 0;
  // Adds the positions of keys where `keys` cannot tell (SORT, GET options ...); null when they can.
  void (*get_keys)(Args args, std::vector<int>* positions) = nullptr;
  // What a request does with its keys, where that depends on the other arguments (kKeyVariableFlags).
  uint32_t (*key_flags)(Args args) = nullptr;
  ChannelArgs channels = {};
  const char* group = "";  // COMMAND DOCS: "string", "generic", ...
  const char* since = "";
  const char* complexity = "";
  const char* summary = "";  // in our own words
  const char* syntax = "";   // the arguments as documentation prints them, "" for none
  const char* tips = "";     // COMMAND INFO's tips, separated by commas
  HistoryNote history[kMaxHistory] = {};
  const char* deprecated_since = nullptr;
  const char* replaced_by = nullptr;
  std::span<const CommandSpec> subcommands = {};
};

struct CommandStats {
  uint64_t calls = 0;
  uint64_t microseconds = 0;
  uint64_t rejected = 0;
  uint64_t failed = 0;
};

// A declared command as the table holds it: with what is derived from the declaration, and its statistics.
struct Command {
  const CommandSpec* spec = nullptr;
  uint16_t number = 0;    // among all commands and subcommands of the table, in the order of declaration
  std::string_view name;  // "get", "client|getname"
  uint32_t flags = 0;     // with kMovableKeys when derived
  uint32_t acl = 0;       // with what follows from flags
  int first_key = 0;      // 0: none, as COMMAND INFO prints them
  int last_key = 0;
  int key_step = 0;
  const Command* parent = nullptr;
  std::vector<Command*> subcommands;
  uint64_t cycles = 0;  // spent in it, in ticks of the cycle clock
  CommandStats stats;
};

}  // namespace pinyon
