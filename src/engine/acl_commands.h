// The commands as access rules know them: numbered, with their categories, subcommands beside their
// containers.
//
// Rules name commands by the names they were declared with, whatever rename-command made of them. Besides the
// commands of the table there are those of Redis 7.0 that the table lacks: a user's rules may name them, and
// which categories describe a user best must not depend on what Pinyon does not have yet. They can be granted
// and denied; nobody can run them.
//
// Invariants: the first numbers are Command::number of the table's commands; a container stands before its
// subcommands. Built once, after the table is complete: some 50 us.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/command_table.h"

namespace pinyon {

class AclCommands {
 public:
  static constexpr size_t kMaxCommands = 1024;
  static constexpr size_t kCategories = 21;
  static constexpr uint16_t kNone = UINT16_MAX;
  // No command has this number: it stands for those that later versions will have.
  static constexpr size_t kFuture = kMaxCommands - 1;
  using Bits = std::bitset<kMaxCommands>;

  struct Item {
    std::string name;  // "get", "config|get"
    uint32_t categories = 0;
    bool is_subcommand = false;
    std::vector<uint16_t> subcommands;
  };

  explicit AclCommands(const CommandTable& table);

  const std::vector<Item>& items() const { return items_; }
  // By full name in any case; kNone when unknown.
  uint16_t Find(std::string_view name) const;
  // A command and, of a container, its subcommands.
  Bits With(uint16_t number) const;
  // Those of a category that Redis 7.0 has, too (what descriptions count); all of it, with subcommands.
  const Bits& InCategory(size_t category) const { return in_category_[category]; }
  const Bits& ReachOfCategory(size_t category) const { return reach_of_category_[category]; }

 private:
  void Add(std::string_view name, uint32_t categories);

  std::vector<Item> items_;
  std::unordered_map<std::string, uint16_t> number_by_name_;
  std::array<Bits, kCategories> in_category_;
  std::array<Bits, kCategories> reach_of_category_;
};

// A command of Redis 7.0 that may be missing in the table.
struct AbsentCommand {
  const char* name;
  uint32_t categories;
};
std::span<const AbsentCommand> CommandsOfRedis();  // acl_absent_commands.cc

}  // namespace pinyon
