// The one table of commands, built at start from the families' declarations, renamed as configured, and read
// by dispatch, COMMAND *, ACLs and statistics. Lookup takes any case and costs one hash of the name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/command_spec.h"

namespace pinyon {

class CommandTable {
 public:
  CommandTable();
  ~CommandTable();
  CommandTable(const CommandTable&) = delete;
  CommandTable& operator=(const CommandTable&) = delete;

  void AddFamily(std::span<const CommandSpec> specs);
  // rename-command: an empty new name removes it. Returns false when there is no such command or the name is
  // taken.
  bool Rename(std::string_view name, std::string_view new_name);

  // A command (a container, when it has subcommands) by name; null when unknown.
  Command* Find(std::string_view name) const;
  // The subcommand of a container.
  Command* FindSubcommand(const Command& container, std::string_view name) const;
  // What a request's first arguments name: the command, or its subcommand; null when unknown.
  Command* Resolve(Args args) const;

  // Top-level commands, in the order of declaration.
  const std::vector<Command*>& commands() const { return commands_; }
  // These and all subcommands, also what rename-command removed; by number.
  const std::vector<std::unique_ptr<Command>>& all() const { return owned_; }
  void ResetStats();

 private:
  Command* Build(const CommandSpec& spec, Command* parent);
  void Insert(std::string_view name, Command* command);

  struct Slot;
  std::vector<std::unique_ptr<Command>> owned_;
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<Command*> commands_;
  std::vector<Slot>
      slots_;  // open addressing by a hash of the lower-cased name; a power of two, at most half full
  size_t used_slots_ = 0;
};

// The names of flags and categories, as COMMAND INFO and ACL CAT print them.
std::vector<std::string_view> CommandFlagNames(uint32_t flags);
std::vector<std::string_view> AclCategoryNames(uint32_t categories);
// The category of a name without '@', 0 when there is none.
uint32_t AclCategoryByName(std::string_view name);
std::vector<std::string_view> KeySpecFlagNames(uint32_t flags);

// A key found in a request, with the flags of the specification that found it.
struct KeyPosition {
  int index;
  uint32_t flags;
};
// All keys of a request; false when they cannot be told (bad counts, missing arguments).
bool FindKeys(const Command& command, Args args, std::vector<KeyPosition>* keys);

}  // namespace pinyon
