// The names of flags and categories; each list in the order of its enum, which is the order in which Redis
// prints.
#include "engine/command_spec.h"

#include <iterator>

#include "base/strings.h"
#include "engine/command_table.h"

namespace pinyon {

namespace {

// An empty name is not printed: Redis 7.0 keeps may_replicate to itself.
constexpr std::string_view kCommandFlagNames[] = {"write",
                                                  "readonly",
                                                  "denyoom",
                                                  "module",
                                                  "admin",
                                                  "pubsub",
                                                  "noscript",
                                                  "blocking",
                                                  "loading",
                                                  "stale",
                                                  "skip_monitor",
                                                  "skip_slowlog",
                                                  "asking",
                                                  "fast",
                                                  "no_auth",
                                                  "",
                                                  "no_mandatory_keys",
                                                  "no_async_loading",
                                                  "no_multi",
                                                  "allow_busy",
                                                  "movablekeys"};

constexpr std::string_view kAclCategoryNames[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

constexpr std::string_view kKeySpecFlagNames[] = {
    "RW",     "RO",     "OW",      "RM",         "access",        "update",
    "insert", "delete", "not_key", "incomplete", "variable_flags"};

static_assert(1u << (std::size(kCommandFlagNames) - 1) == kMovableKeys);
static_assert(1u << (std::size(kAclCategoryNames) - 1) == kAclScripting);
static_assert(1u << (std::size(kKeySpecFlagNames) - 1) == kKeyVariableFlags);

std::vector<std::string_view> NamesOfBits(uint32_t bits, std::span<const std::string_view> names) {
  std::vector<std::string_view> result;
  for (size_t bit = 0; bit < names.size(); ++bit) {
    if ((bits >> bit & 1) != 0 && !names[bit].empty()) result.push_back(names[bit]);
  }
  return result;
}

}  // namespace

std::vector<std::string_view> CommandFlagNames(uint32_t flags) {
  return NamesOfBits(flags, kCommandFlagNames);
}

std::vector<std::string_view> AclCategoryNames(uint32_t categories) {
  return NamesOfBits(categories, kAclCategoryNames);
}

std::vector<std::string_view> KeySpecFlagNames(uint32_t flags) {
  return NamesOfBits(flags, kKeySpecFlagNames);
}

uint32_t AclCategoryByName(std::string_view name) {
  for (size_t bit = 0; bit < std::size(kAclCategoryNames); ++bit) {
    if (EqualsIgnoreCase(name, kAclCategoryNames[bit])) return 1u << bit;
  }
  return 0;
}

}  // namespace pinyon
