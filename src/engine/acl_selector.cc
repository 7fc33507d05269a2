#include "engine/acl_selector.h"

#include <algorithm>

#include "base/assert.h"
#include "base/glob.h"
#include "base/strings.h"

namespace pinyon {

std::string_view AclRuleErrorText(AclRuleError error) {
  switch (error) {
    case AclRuleError::kNone: return "";
    case AclRuleError::kSyntax: return "Syntax error";
    case AclRuleError::kUnknownCommand: return "Unknown command or category name in ACL";
    case AclRuleError::kFirstArgOfSubcommand: return "Allowing first-arg of a subcommand is not supported";
    case AclRuleError::kAfterAllKeys:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
             "any "
             "effect. Try 'resetkeys' to start with an empty list of patterns";
    case AclRuleError::kAfterAllChannels:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
             "have "
             "any effect. Try 'resetchannels' to start with an empty list of channels";
    case AclRuleError::kBadHash:
      return "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
             "characters";
    case AclRuleError::kNoSuchPassword:
      return "The password you are trying to remove from the user does not exist";
  }
  return "";
}

bool HasSpaces(std::string_view text) {
  return text.find_first_of(std::string_view(" \t\n\v\f\r\0", 7)) != std::string_view::npos;
}

AclSelector AclSelector::Unlimited() {
  AclSelector selector(true);
  selector.all_keys_ = true;
  selector.SetAllCommands(true);
  return selector;
}

// --- rules ---

AclRuleError AclSelector::Apply(const AclCommands& commands, std::string_view rule) {
  PINYON_ASSERT(!rule.empty());
  const auto is = [rule](std::string_view word) { return EqualsIgnoreCase(rule, word); };
  if (is("allkeys") || is("~*") || is("resetkeys")) {
    all_keys_ = !is("resetkeys");
    keys_.clear();
    return AclRuleError::kNone;
  }
  if (is("allchannels") || is("&*") || is("resetchannels")) {
    all_channels_ = !is("resetchannels");
    channels_.clear();
    return AclRuleError::kNone;
  }
  if (is("allcommands") || is("+@all") || is("nocommands") || is("-@all")) {
    SetAllCommands(is("allcommands") || is("+@all"));
    return AclRuleError::kNone;
  }
  const bool allow = rule.front() == '+';
  switch (rule.front()) {
    case '~':
    case '%': return ApplyKeys(rule);
    case '&': return ApplyChannel(rule.substr(1));
    case '+':
    case '-':
      if (rule.size() > 1 && rule[1] == '@') return ApplyCategory(commands, rule.substr(2), allow);
      return ApplyCommand(commands, rule.substr(1), allow);
    default: return AclRuleError::kSyntax;
  }
}

// ~pattern, or %R~pattern, %W~pattern, %RW~pattern. Redis takes a missing tilde for an empty pattern.
AclRuleError AclSelector::ApplyKeys(std::string_view rule) {
  if (all_keys_) return AclRuleError::kAfterAllKeys;
  uint8_t access = kReads | kWrites;
  size_t start = 1;
  if (rule.front() == '%') {
    access = 0;
    for (; start < rule.size() && rule[start] != '~'; ++start) {
      const char letter = ToUpper(rule[start]);
      const uint8_t bit = letter == 'R' ? kReads : letter == 'W' ? kWrites : 0;
      if (bit == 0 || (access & bit) != 0) return AclRuleError::kSyntax;
      access |= bit;
    }
    if (access == 0) return AclRuleError::kSyntax;
    if (start < rule.size()) ++start;
  }
  const std::string_view pattern = rule.substr(start);
  if (HasSpaces(pattern)) return AclRuleError::kSyntax;
  for (KeyPattern& known : keys_) {
    if (known.text != pattern) continue;
    known.access |= access;
    return AclRuleError::kNone;
  }
  keys_.push_back({std::string(pattern), access});
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyChannel(std::string_view pattern) {
  if (all_channels_) return AclRuleError::kAfterAllChannels;
  if (HasSpaces(pattern)) return AclRuleError::kSyntax;
  if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
    channels_.emplace_back(pattern);
  }
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyCategory(const AclCommands& commands, std::string_view name, bool allow) {
  const uint32_t category = AclCategoryByName(name);
  if (category == 0) return AclRuleError::kUnknownCommand;
  Set(commands.ReachOfCategory(static_cast<size_t>(__builtin_ctz(category))), allow);
  return AclRuleError::kNone;
}

AclRuleError AclSelector::ApplyCommand(const AclCommands& commands, std::string_view name, bool allow) {
  const uint16_t number = commands.Find(name);
  if (number == AclCommands::kNone) {
    const bool has_part = name.find('|') != std::string_view::npos;
    return allow && has_part ? AllowFirstArg(commands, name) : AclRuleError::kUnknownCommand;
  }
  Set(commands.With(number), allow);
  return AclRuleError::kNone;
}

// select|0
AclRuleError AclSelector::AllowFirstArg(const AclCommands& commands, std::string_view rule) {
  const size_t bar = rule.rfind('|');
  const uint16_t number = commands.Find(rule.substr(0, bar));
  if (number == AclCommands::kNone) return AclRuleError::kUnknownCommand;
  const AclCommands::Item& item = commands.items()[number];
  if (item.is_subcommand) return AclRuleError::kFirstArgOfSubcommand;
  const std::string_view arg = rule.substr(bar + 1);
  if (arg.empty()) return AclRuleError::kSyntax;
  if (!item.subcommands.empty()) return AclRuleError::kUnknownCommand;
  std::vector<std::string>& known = first_args_[number];
  if (std::find(known.begin(), known.end(), arg) == known.end()) known.emplace_back(arg);
  return AclRuleError::kNone;
}

void AclSelector::SetAllCommands(bool allow) {
  allow ? allowed_.set() : allowed_.reset();
  first_args_.clear();
}

void AclSelector::Set(const AclCommands::Bits& bits, bool allow) {
  PINYON_ASSERT(!bits.test(AclCommands::kFuture));
  allow ? allowed_ |= bits : allowed_ &= ~bits;
  std::erase_if(first_args_, [&bits](const auto& entry) { return bits.test(entry.first); });
}

// --- checks ---

bool AclSelector::AllowsCommand(const Command& command, Args args) const {
  if (allowed_.test(command.number) || (command.flags & kNoAuth) != 0) return true;
  const auto it = first_args_.find(command.number);
  if (it == first_args_.end() || args.size() < 2) return false;
  return std::any_of(it->second.begin(), it->second.end(),
                     [&](const std::string& arg) { return EqualsIgnoreCase(arg, args[1]); });
}

// What only asks whether a key is there, of which type or how long, needs any access to it.
bool AclSelector::AllowsKey(std::string_view key, uint32_t flags) const {
  uint8_t needed = 0;
  if ((flags & kKeyAccess) != 0) needed |= kReads;
  if ((flags & (kKeyInsert | kKeyDelete | kKeyUpdate)) != 0) needed |= kWrites;
  return std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& pattern) {
    return (pattern.access & needed) == needed && GlobMatch(pattern.text, key);
  });
}

bool AclSelector::AllowsChannel(std::string_view name, bool is_pattern) const {
  if (all_channels_) return true;
  return std::any_of(channels_.begin(), channels_.end(), [&](const std::string& pattern) {
    return is_pattern ? pattern == name : GlobMatch(pattern, name);
  });
}

bool AclSelector::MayReadAllKeys() const {
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(), [](const KeyPattern& pattern) {
           return pattern.text == "*" && (pattern.access & kReads) != 0;
         });
}

AclDecision AclSelector::Check(const Command& command, Args args,
                               const std::vector<KeyPosition>& keys) const {
  using Verdict = AclDecision::Verdict;
  if (!AllowsCommand(command, args)) return {Verdict::kCommand, 0};
  if (!all_keys_) {
    for (const KeyPosition& key : keys) {
      if (!AllowsKey(args[static_cast<size_t>(key.index)], key.flags)) return {Verdict::kKey, key.index};
    }
  }
  const ChannelArgs& channels = command.spec->channels;
  if (channels.first == 0 || all_channels_) return {};
  const int argc = static_cast<int>(args.size());
  const int last = channels.last < 0 ? argc + channels.last : std::min(channels.last, argc - 1);
  for (int i = channels.first; i <= last; ++i) {
    if (!AllowsChannel(args[static_cast<size_t>(i)], channels.are_patterns)) return {Verdict::kChannel, i};
  }
  return {};
}

}  // namespace pinyon
