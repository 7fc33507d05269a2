#include "base/settings.h"

#include <unordered_set>
#include <utility>

#include "base/assert.h"
#include "base/glob.h"
#include "base/settings_text.h"
#include "base/strings.h"

namespace pinyon {
namespace {

constexpr char kBadDirective[] = "Bad directive or wrong number of arguments";
constexpr char kWrongCount[] = "wrong number of arguments";

std::string SetFailed(std::string_view name, std::string_view reason) {
  return "ERR CONFIG SET failed (possibly related to argument '" + std::string(name) + "') - " +
         std::string(reason);
}

}  // namespace

void SettingsRegistry::Add(Directive directive) {
  PINYON_CHECK(!directive.name.empty() && ToLower(directive.name) == directive.name);
  if (directive.get) directive.default_text = directive.get();
  const Directive& added = directives_.emplace_back(std::move(directive));
  PINYON_CHECK(directive_by_name_.emplace(added.name, &added).second);
  if (added.alias.empty()) return;
  PINYON_CHECK(ToLower(added.alias) == added.alias);
  PINYON_CHECK(directive_by_name_.emplace(added.alias, &added).second);
}

const SettingsRegistry::Directive* SettingsRegistry::Find(std::string_view name) const {
  const auto found = directive_by_name_.find(ToLower(name));
  return found == directive_by_name_.end() ? nullptr : found->second;
}

void SettingsRegistry::AddLine(std::string_view name, LineSetting spec) {
  PINYON_CHECK(spec.load);
  Directive directive;
  directive.name = name;
  directive.is_line = true;
  directive.min_args = spec.min_args;
  directive.max_args = spec.max_args;
  directive.set = [load = std::move(spec.load)](const std::vector<std::string>& args, setting::Phase) {
    return load(args);
  };
  directive.rewrite = std::move(spec.rewrite);
  Add(std::move(directive));
}

bool SettingsRegistry::IsSensitive(std::string_view name) const {
  const Directive* directive = Find(name);
  return directive != nullptr && (directive->flags & setting::kSensitive) != 0;
}

// A directive of several words that is given only one takes the words within it.
std::vector<std::string> SettingsRegistry::ArgsFromText(const Directive& directive, std::string_view text) {
  if ((directive.flags & setting::kMultiArg) != 0) return SplitAtSpaces(text);
  return {std::string(text)};
}

SettingError SettingsRegistry::SetArgs(const Directive& directive, const std::vector<std::string>& args,
                                       setting::Phase phase) {
  if (args.size() < directive.min_args || args.size() > directive.max_args) return kWrongCount;
  return directive.set(args, phase);
}

SettingError SettingsRegistry::Load(const std::vector<std::string>& words) {
  PINYON_CHECK(!words.empty());
  const Directive* directive = Find(words.front());
  if (directive == nullptr) return kBadDirective;
  std::vector<std::string> args(words.begin() + 1, words.end());
  if (directive->is_line) {
    if (args.size() < directive->min_args || args.size() > directive->max_args) return kBadDirective;
    return directive->set(args, setting::Phase::kLoad);
  }
  if (args.size() == 1) args = ArgsFromText(*directive, args.front());
  const bool first = !loaded_in_source_.contains(directive);
  SettingError error = SetArgs(*directive, args, first ? setting::Phase::kLoad : setting::Phase::kLoadMore);
  if (error.empty()) loaded_in_source_.insert(directive);
  return error;
}

std::vector<SettingsRegistry::Pair> SettingsRegistry::Get(
    const std::vector<std::string_view>& patterns) const {
  std::vector<Pair> answer;
  std::unordered_set<std::string> answered;
  const auto add = [&](std::string_view shown_name, const Directive& directive) {
    if (answered.insert(ToLower(shown_name)).second) answer.emplace_back(shown_name, directive.get());
  };
  for (const std::string_view pattern : patterns) {
    if (pattern.find_first_of("*?[") == std::string_view::npos) {
      const Directive* directive = Find(pattern);
      if (directive != nullptr && !directive->is_line) add(pattern, *directive);
      continue;
    }
    for (const Directive& directive : directives_) {
      if (directive.is_line || (directive.flags & setting::kHidden) != 0) continue;
      if (GlobMatch(pattern, directive.name, true)) add(directive.name, directive);
      if (!directive.alias.empty() && GlobMatch(pattern, directive.alias, true))
        add(directive.alias, directive);
    }
  }
  return answer;
}

std::string SettingsRegistry::GetOne(std::string_view name) const {
  const Directive* directive = Find(name);
  PINYON_CHECK(directive != nullptr && !directive->is_line);
  return directive->get();
}

// What can be refused before anything is parsed, pair by pair, so that the first bad pair is the one
// reported.
SettingError SettingsRegistry::CheckPairs(const PairViews& pairs, const SetPolicy& policy,
                                          std::vector<Change>* changes) const {
  std::unordered_set<std::string> seen;
  for (const auto& [name, text] : pairs) {
    const Directive* directive = Find(name);
    if (directive == nullptr || directive->is_line) {
      return "ERR Unknown option or number of arguments for CONFIG SET - '" + std::string(name) + "'";
    }
    if ((directive->flags & setting::kImmutable) != 0) return SetFailed(name, "can't set immutable config");
    if ((directive->flags & setting::kProtected) != 0 && !policy.allow_protected) {
      return SetFailed(name, "can't set protected config");
    }
    if ((directive->flags & setting::kDenyWhileLoading) != 0 && policy.loading) {
      return SetFailed(name, "can't set this config while the data set is loading");
    }
    // By the name that was used: Redis lets a directive and its alias stand in one call.
    if (!seen.insert(ToLower(name)).second) return SetFailed(name, "duplicate parameter");
    changes->push_back({directive, name, text, {}, false});
  }
  return {};
}

std::string SettingsRegistry::Set(const PairViews& pairs, const SetPolicy& policy) {
  std::vector<Change> changes;
  if (SettingError error = CheckPairs(pairs, policy, &changes); !error.empty()) return error;

  for (size_t i = 0; i < changes.size(); ++i) {
    Change& change = changes[i];
    const Directive& directive = *change.directive;
    change.old_text = directive.get();
    const SettingError error =
        SetArgs(directive, ArgsFromText(directive, change.new_text), setting::Phase::kRuntime);
    if (!error.empty()) {
      PINYON_ASSERT(directive.get() == change.old_text);
      Undo(changes, i, 0);
      return SetFailed(change.asked_name, error);
    }
    change.changed = directive.get() != change.old_text;
  }

  for (size_t i = 0; i < changes.size(); ++i) {
    const Directive& directive = *changes[i].directive;
    if (!changes[i].changed || !directive.apply) continue;
    const SettingError error = directive.apply();
    if (!error.empty()) {
      // The one that failed is applied again too: it may have let go of what the old value stood for.
      Undo(changes, changes.size(), i + 1);
      return SetFailed(changes[i].asked_name, error);
    }
  }
  return {};
}

void SettingsRegistry::Undo(const std::vector<Change>& changes, size_t set_count, size_t applied_count) {
  // Backwards: a directive may be there twice, under its name and its alias.
  for (size_t i = set_count; i-- > 0;) {
    const Change& change = changes[i];
    if (change.directive->get() == change.old_text) continue;
    const SettingError error = SetArgs(*change.directive, ArgsFromText(*change.directive, change.old_text),
                                       setting::Phase::kRuntime);
    PINYON_CHECK(error.empty());
  }
  for (size_t i = 0; i < applied_count; ++i) {
    // What was in force a moment ago may still fail now; there is nothing left to fall back to.
    if (changes[i].changed && changes[i].directive->apply) changes[i].directive->apply();
  }
}

std::vector<std::string> SettingsRegistry::InertInUse() const {
  std::vector<std::string> names;
  for (const Directive& directive : directives_) {
    if ((directive.flags & setting::kInert) != 0 && directive.get() != directive.default_text) {
      names.emplace_back(directive.name);
    }
  }
  return names;
}

std::vector<std::string_view> SettingsRegistry::Names() const {
  std::vector<std::string_view> names;
  for (const Directive& directive : directives_) names.push_back(directive.name);
  return names;
}

}  // namespace pinyon
