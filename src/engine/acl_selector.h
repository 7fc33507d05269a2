// What a user may do: which commands, with which keys, on which channels. A user has one root selector and
// any number of further ones; a request is allowed when one of them allows all of it.
//
// A selector holds the outcome of its rules, not the rules: a bit for each command (engine/acl_commands.h),
// patterns of keys with what may be done to them, patterns of channels. How it is described again is Redis
// 7.0's way: the categories that come closest to the bits, then the commands in which they differ.
//
// Costs: 128 bytes and its patterns. Checking a request is a bit, a look for each key at each pattern until
// one fits, and the same for channels.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/acl_commands.h"
#include "engine/command_spec.h"

namespace pinyon {

// What is wrong with a rule.
enum class AclRuleError : uint8_t {
  kNone,
  kSyntax,
  kUnknownCommand,
  kFirstArgOfSubcommand,
  kAfterAllKeys,
  kAfterAllChannels,
  kBadHash,
  kNoSuchPassword,
};
// In Redis's words.
std::string_view AclRuleErrorText(AclRuleError error);

// Whether `text` holds what no name or pattern may: white space or a zero byte.
bool HasSpaces(std::string_view text);

// What the meaning of a rule depends on beside itself.
struct AclRuleContext {
  const AclCommands& commands;
  bool all_channels_by_default = false;  // acl-pubsub-default allchannels
};

// Whether a request is allowed; if not, why, and which argument is to blame. In this order a later reason is
// the better one to report: more was right.
struct AclDecision {
  enum class Verdict : uint8_t { kAllowed, kCommand, kKey, kChannel };
  Verdict verdict = Verdict::kAllowed;
  int arg = 0;

  bool allowed() const { return verdict == Verdict::kAllowed; }
};

class AclSelector {
 public:
  // Denies everything, but channels if so told.
  explicit AclSelector(bool all_channels) : all_channels_(all_channels) {}

  static AclSelector Unlimited();

  // A rule about commands, keys or channels.
  AclRuleError Apply(const AclCommands& commands, std::string_view rule);

  // `keys` are those of the request, as FindKeys tells them; none if it cannot.
  AclDecision Check(const Command& command, Args args, const std::vector<KeyPosition>& keys) const;
  bool IsUnlimited() const { return all_keys_ && all_channels_ && allowed_.all(); }
  // Whether every key may be read, whatever its name.
  bool MayReadAllKeys() const;
  // A pattern is allowed only if the very same was given.
  bool AllowsChannel(std::string_view name, bool is_pattern) const;

  // "-@all +get +config|get"
  std::string DescribeCommands(const AclCommands& commands) const;
  // "~a* %R~b", "~*", or nothing.
  std::string DescribeKeys() const;
  // "&a &b", "&*", or nothing.
  std::string DescribeChannels() const;
  // All three, as rules.
  std::string Describe(const AclCommands& commands) const;

 private:
  enum KeyAccess : uint8_t { kReads = 1, kWrites = 2 };
  struct KeyPattern {
    std::string text;
    uint8_t access;
  };

  AclRuleError ApplyKeys(std::string_view rule);
  AclRuleError ApplyChannel(std::string_view pattern);
  AclRuleError ApplyCategory(const AclCommands& commands, std::string_view name, bool allow);
  AclRuleError ApplyCommand(const AclCommands& commands, std::string_view name, bool allow);
  AclRuleError AllowFirstArg(const AclCommands& commands, std::string_view rule);
  void SetAllCommands(bool allow);
  void Set(const AclCommands::Bits& bits, bool allow);
  bool AllowsCommand(const Command& command, Args args) const;
  bool AllowsKey(std::string_view key, uint32_t flags) const;

  bool all_keys_ = false;
  bool all_channels_ = false;
  AclCommands::Bits allowed_;
  std::vector<KeyPattern> keys_;
  std::vector<std::string> channels_;
  // Of commands that are denied otherwise: with which first arguments they may run.
  std::map<uint16_t, std::vector<std::string>> first_args_;
};

}  // namespace pinyon
