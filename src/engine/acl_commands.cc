#include "engine/acl_commands.h"

#include "base/assert.h"
#include "base/numbers.h"
#include "base/strings.h"

namespace pinyon {

namespace {

// Whether Redis 7.0, whose descriptions of users are the model, has a command of this version. Our own
// commands have a version of Pinyon, below 1.
bool IsInRedis70(std::string_view since) {
  const size_t first_dot = since.find('.');
  int64_t major = 0, minor = 0;
  if (first_dot == std::string_view::npos || !ParseInt64(since.substr(0, first_dot), &major)) return true;
  const std::string_view rest = since.substr(first_dot + 1);
  if (!ParseInt64(rest.substr(0, rest.find('.')), &minor)) return true;
  return major >= 1 && (major < 7 || (major == 7 && minor == 0));
}

}  // namespace

static_assert(1u << (AclCommands::kCategories - 1) == kAclScripting);

AclCommands::AclCommands(const CommandTable& table) {
  for (const auto& command : table.all()) {
    PINYON_CHECK(command->number == items_.size());
    Add(command->name, command->acl);
  }
  for (const AbsentCommand& absent : CommandsOfRedis()) {
    if (Find(absent.name) == kNone) Add(absent.name, absent.categories);
  }
  for (size_t category = 0; category < kCategories; ++category) {
    for (size_t i = 0; i < items_.size(); ++i) {
      const auto number = static_cast<uint16_t>(i);
      if ((items_[number].categories >> category & 1) == 0) continue;
      const bool counts = number >= table.all().size() || IsInRedis70(table.all()[number]->spec->since);
      in_category_[category].set(number, counts);
      reach_of_category_[category] |= With(number);
    }
  }
}

void AclCommands::Add(std::string_view name, uint32_t categories) {
  PINYON_CHECK(items_.size() < kFuture);
  const auto number = static_cast<uint16_t>(items_.size());
  const size_t bar = name.find('|');
  if (bar != std::string_view::npos) {
    const uint16_t container = Find(name.substr(0, bar));
    if (container == kNone) return;  // of a table that lacks even this
    items_[container].subcommands.push_back(number);
  }
  items_.push_back({std::string(name), categories, bar != std::string_view::npos, {}});
  PINYON_CHECK(number_by_name_.emplace(name, number).second);
}

uint16_t AclCommands::Find(std::string_view name) const {
  const auto it = number_by_name_.find(ToLower(name));
  return it == number_by_name_.end() ? kNone : it->second;
}

AclCommands::Bits AclCommands::With(uint16_t number) const {
  Bits bits;
  bits.set(number);
  for (const uint16_t subcommand : items_[number].subcommands) bits.set(subcommand);
  return bits;
}

}  // namespace pinyon
