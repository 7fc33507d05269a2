#include "engine/acl_user.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"

namespace pinyon {

namespace {

constexpr size_t kHashDigits = 64;

bool IsHash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Looks at every byte of both, whatever they are.
bool HashesEqual(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace

AclUser AclUser::Unlimited(std::string name) {
  AclUser user(std::move(name), true);
  user.enabled_ = user.nopass_ = true;
  user.selectors_ = {AclSelector::Unlimited()};
  return user;
}

// --- rules ---

AclRuleError AclUser::Apply(const AclRuleContext& context, std::string_view rule) {
  if (rule.empty()) return AclRuleError::kNone;
  switch (rule.front()) {
    case '>':
    case '<':
    case '#':
    case '!': return ApplyPassword(rule);
    case '(': return AddSelector(context, rule);
    default: break;
  }
  bool known = true;
  const AclRuleError error = ApplyWord(context, rule, &known);
  return known ? error : selectors_.front().Apply(context.commands, rule);
}

AclRuleError AclUser::ApplyWord(const AclRuleContext& context, std::string_view rule, bool* known) {
  const auto is = [rule](std::string_view word) { return EqualsIgnoreCase(rule, word); };
  if (is("on") || is("off")) {
    enabled_ = is("on");
  } else if (is("nopass") || is("resetpass")) {
    nopass_ = is("nopass");
    password_hashes_.clear();
  } else if (is("sanitize-payload")) {
    sanitizing_ = Sanitizing::kSanitize;
  } else if (is("skip-sanitize-payload")) {
    sanitizing_ = Sanitizing::kSkip;
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
  } else if (is("reset")) {
    Reset(context);
  } else {
    *known = false;
  }
  return AclRuleError::kNone;
}

void AclUser::Reset(const AclRuleContext& context) {
  enabled_ = nopass_ = false;
  password_hashes_.clear();
  sanitizing_ = Sanitizing::kSanitize;
  selectors_ = {AclSelector(context.all_channels_by_default)};
}

// >password, <password, #hash, !hash: one more, or one less.
AclRuleError AclUser::ApplyPassword(std::string_view rule) {
  const char kind = rule.front();
  const std::string_view given = rule.substr(1);
  const bool is_hash = kind == '#' || kind == '!';
  if (is_hash && !IsHash(given)) return AclRuleError::kBadHash;
  const std::string hash = is_hash ? std::string(given) : Sha256Hex(given);
  const auto it = std::find(password_hashes_.begin(), password_hashes_.end(), hash);
  if (kind == '<' || kind == '!') {
    if (it == password_hashes_.end()) return AclRuleError::kNoSuchPassword;
    password_hashes_.erase(it);
    return AclRuleError::kNone;
  }
  if (it == password_hashes_.end()) password_hashes_.push_back(hash);
  nopass_ = false;
  return AclRuleError::kNone;
}

// (rule rule ...)
AclRuleError AclUser::AddSelector(const AclRuleContext& context, std::string_view rule) {
  if (rule.size() < 2 || rule.back() != ')') return AclRuleError::kSyntax;
  std::string_view rest = rule.substr(1, rule.size() - 2);
  AclSelector selector(context.all_channels_by_default);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) {
      const AclRuleError error = selector.Apply(context.commands, rest.substr(0, end));
      if (error != AclRuleError::kNone) return error;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  selectors_.push_back(std::move(selector));
  return AclRuleError::kNone;
}

bool JoinSelectors(std::span<const std::string_view> rules, std::vector<std::string>* joined,
                   std::string* unmatched) {
  joined->clear();
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string_view opening = rules[i];
    std::string rule(opening);
    if (rule.starts_with('(')) {
      while (rule.back() != ')') {
        if (++i == rules.size()) {
          *unmatched = opening;
          return false;
        }
        rule.append(" ").append(rules[i]);
      }
    }
    joined->push_back(std::move(rule));
  }
  return true;
}

void AclUser::SetOnlyPassword(std::string_view password) {
  password_hashes_.clear();
  nopass_ = password.empty();
  if (!nopass_) password_hashes_.push_back(Sha256Hex(password));
}

// --- checks ---

bool AclUser::HasPassword(std::string_view hash) const {
  bool found = false;
  for (const std::string& known : password_hashes_) found |= HashesEqual(known, hash);
  return found;
}

void AclUser::CollectKeys(const Command& command, Args args, std::vector<KeyPosition>* keys) {
  keys->clear();
  if (command.spec->keys[0].begin == KeySpec::Begin::kNone) return;
  if (!FindKeys(command, args, keys)) keys->clear();
}

AclDecision AclUser::Check(const Command& command, Args args, std::vector<KeyPosition>* scratch) const {
  CollectKeys(command, args, scratch);
  AclDecision worst;
  for (const AclSelector& selector : selectors_) {
    const AclDecision decision = selector.Check(command, args, *scratch);
    if (decision.allowed()) return decision;
    // The selector that came furthest tells why.
    if (decision.verdict > worst.verdict || (decision.verdict == worst.verdict && decision.arg > worst.arg)) {
      worst = decision;
    }
  }
  return worst;
}

bool AclUser::MayReadAllKeys(const Command& command, Args args, std::vector<KeyPosition>* scratch) const {
  CollectKeys(command, args, scratch);
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& selector) {
    return selector.MayReadAllKeys() && selector.Check(command, args, *scratch).allowed();
  });
}

bool AclUser::AllowsChannel(std::string_view name, bool is_pattern) const {
  return std::any_of(selectors_.begin(), selectors_.end(),
                     [&](const AclSelector& selector) { return selector.AllowsChannel(name, is_pattern); });
}

bool AclUser::IsUnlimited() const {
  return std::any_of(selectors_.begin(), selectors_.end(),
                     [](const AclSelector& selector) { return selector.IsUnlimited(); });
}

// --- description ---

std::vector<std::string_view> AclUser::Flags() const {
  std::vector<std::string_view> flags = {enabled_ ? "on" : "off"};
  if (nopass_) flags.emplace_back("nopass");
  if (sanitizing_ == Sanitizing::kSkip) flags.emplace_back("skip-sanitize-payload");
  if (sanitizing_ == Sanitizing::kSanitize) flags.emplace_back("sanitize-payload");
  return flags;
}

std::string AclUser::Line(const AclCommands& commands) const {
  std::string line = "user " + name_;
  for (const std::string_view flag : Flags()) line.append(" ").append(flag);
  for (const std::string& hash : password_hashes_) line.append(" #").append(hash);
  line.append(" ").append(selectors_.front().Describe(commands));
  for (size_t i = 1; i < selectors_.size(); ++i) {
    line.append(" (").append(selectors_[i].Describe(commands)).append(")");
  }
  return line;
}

}  // namespace pinyon
