// How a selector is written down again. The commands are described as Redis 7.0 describes them (found by
// probing): from +@all or -@all, by which of them holds for commands to come; then, one by one, the category
// that agrees with more of what is left than it contradicts, the one that contradicts least first, of those
// the one that agrees most; then the commands for which that came out wrong. Only commands that Redis 7.0 has
// are counted in that, so that newer ones change no description but by their own names. The result gives the
// same bits when it is applied, however they came about.
#include <utility>

#include "base/assert.h"
#include "engine/acl_selector.h"

namespace pinyon {

namespace {

class CommandDescription {
 public:
  CommandDescription(const AclCommands& commands, const AclCommands::Bits& allowed)
      : commands_(commands),
        allowed_(allowed),
        adds_(!allowed.test(AclCommands::kFuture)),
        unexplained_(allowed),
        described_(adds_ ? AclCommands::Bits() : AclCommands::Bits().set()),
        text_(adds_ ? "-@all" : "+@all") {}

  void AddCategories() {
    std::bitset<AclCommands::kCategories> used;
    while (true) {
      const size_t category = BestCategory(used);
      if (category == AclCommands::kCategories) return;
      used.set(category);
      text_.append(adds_ ? " +@" : " -@").append(AclCategoryNames(1u << category)[0]);
      const AclCommands::Bits& reach = commands_.ReachOfCategory(category);
      adds_ ? described_ |= reach : described_ &= ~reach;
      adds_ ? unexplained_ &= ~reach : unexplained_ |= reach;
    }
  }

  void AddCommands(const std::map<uint16_t, std::vector<std::string>>& first_args) {
    for (size_t i = 0; i < commands_.items().size(); ++i) {
      const auto number = static_cast<uint16_t>(i);
      const std::string& name = commands_.items()[number].name;
      const bool is_allowed = allowed_.test(number);
      if (is_allowed != described_.test(number)) {
        text_.append(is_allowed ? " +" : " -").append(name);
        const AclCommands::Bits bits = commands_.With(number);
        is_allowed ? described_ |= bits : described_ &= ~bits;
      }
      const auto args = first_args.find(number);
      if (is_allowed || args == first_args.end()) continue;
      for (const std::string& arg : args->second) text_.append(" +").append(name).append("|").append(arg);
    }
    PINYON_ASSERT(described_ == allowed_);
  }

  std::string Take() { return std::move(text_); }

 private:
  // kCategories when none helps any more.
  size_t BestCategory(const std::bitset<AclCommands::kCategories>& used) const {
    size_t best = AclCommands::kCategories, fewest_wrong = SIZE_MAX, most_right = 0;
    for (size_t category = 0; category < AclCommands::kCategories; ++category) {
      if (used.test(category)) continue;
      const AclCommands::Bits& members = commands_.InCategory(category);
      const size_t on = (members & unexplained_).count();
      const size_t off = members.count() - on;
      const size_t right = adds_ ? on : off, wrong = adds_ ? off : on;
      if (right <= wrong) continue;
      if (wrong > fewest_wrong || (wrong == fewest_wrong && right <= most_right)) continue;
      best = category;
      fewest_wrong = wrong;
      most_right = right;
    }
    return best;
  }

  const AclCommands& commands_;
  const AclCommands::Bits& allowed_;
  const bool adds_;
  AclCommands::Bits unexplained_;  // without what categories have accounted for
  AclCommands::Bits described_;    // what the text gives so far
  std::string text_;
};

}  // namespace

std::string AclSelector::DescribeCommands(const AclCommands& commands) const {
  // Numbers that stand for no command go with what holds for commands to come: only all are set at once.
  CommandDescription description(commands, allowed_);
  description.AddCategories();
  description.AddCommands(first_args_);
  return description.Take();
}

std::string AclSelector::DescribeKeys() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& pattern : keys_) {
    if (!text.empty()) text += ' ';
    if (pattern.access != (kReads | kWrites)) text += pattern.access == kReads ? "%R" : "%W";
    text.append("~").append(pattern.text);
  }
  return text;
}

std::string AclSelector::DescribeChannels() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& pattern : channels_) {
    if (!text.empty()) text += ' ';
    text.append("&").append(pattern);
  }
  return text;
}

std::string AclSelector::Describe(const AclCommands& commands) const {
  std::string text = DescribeKeys();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  const std::string channels = DescribeChannels();
  if (!channels.empty()) text.append(channels).append(" ");
  return text + DescribeCommands(commands);
}

}  // namespace pinyon
