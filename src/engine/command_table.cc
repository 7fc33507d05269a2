// Lookup: a name's first and last eight bytes, lower-cased exactly, are both its hash and nearly all of the
// comparison, so that a request costs two loads, a multiplication and, as the table is at most half full,
// about one probe.
#include "engine/command_table.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/assert.h"
#include "base/strings.h"
#include "engine/command_docs.h"

namespace pinyon {

namespace {

constexpr size_t kInitialSlots = 512;

// Eight bytes at once; only A-Z change.
uint64_t LowerWord(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighBits = 0x80 * kOnes;
  const uint64_t low_bits = word & ~kHighBits;
  const uint64_t above_z = low_bits + (0x7f - 'Z') * kOnes;
  const uint64_t from_a = low_bits + (0x80 - 'A') * kOnes;
  const uint64_t upper = ~word & kHighBits & (from_a ^ above_z);
  return word | upper >> 2;
}

uint64_t Load(const char* bytes, size_t count) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

// With the size it identifies a name of up to 16 bytes.
struct Digest {
  uint64_t head;  // the first eight bytes, or of a shorter name all of them (some twice)
  uint64_t tail;  // the last eight, 0 for a name of at most eight
};

Digest DigestOf(std::string_view name) {
  const char* p = name.data();
  const size_t n = name.size();
  if (n > 8) return {LowerWord(Load(p, 8)), LowerWord(Load(p + n - 8, 8))};
  if (n == 8) return {LowerWord(Load(p, 8)), 0};
  if (n >= 4) return {LowerWord(Load(p, 4) | Load(p + n - 4, 4) << 32), 0};
  if (n == 0) return {0, 0};
  return {LowerWord(Load(p, 1) | Load(p + n / 2, 1) << 8 | Load(p + n - 1, 1) << 16), 0};
}

size_t HashOf(const Digest& digest) {
  const uint64_t mixed = (digest.head ^ (digest.tail << 23 | digest.tail >> 41)) * 0x9e3779b97f4a7c15;
  return static_cast<size_t>(mixed >> 40);
}

void CheckSyntaxLine(const CommandSpec& spec) {
  std::vector<DocArgument> arguments;
  std::string error;
  if (ParseSyntax(spec, &arguments, &error)) return;
  std::fprintf(stderr, "command '%s', syntax line '%s': %s\n", spec.name, spec.syntax, error.c_str());
  PINYON_CHECK(error.empty());
}

uint32_t DerivedAcl(uint32_t flags, uint32_t acl) {
  if (flags & kWrite) acl |= kAclWrite;
  if ((flags & kReadOnly) && !(acl & kAclScripting)) acl |= kAclRead;
  if (flags & kAdmin) acl |= kAclAdmin | kAclDangerous;
  if (flags & kPubsub) acl |= kAclPubsub;
  if (flags & kBlocking) acl |= kAclBlocking;
  return acl | ((flags & kFast) ? kAclFast : kAclSlow);
}

// First, last and step describe the first range of keys that starts at a fixed argument, together with ranges
// that follow on it without a gap. Whatever else there is makes the keys movable.
void DeriveKeyRange(const CommandSpec& spec, Command* command) {
  for (const KeySpec& keys : spec.keys) {
    if (keys.begin == KeySpec::Begin::kNone) break;
    if (keys.flags & kKeyIncomplete) command->flags |= kMovableKeys;
    if (keys.begin != KeySpec::Begin::kIndex || keys.find != KeySpec::Find::kRange) {
      command->flags |= kMovableKeys;
      continue;
    }
    const int last = keys.last >= 0 ? keys.index + keys.last : keys.last;
    if (command->first_key == 0) {
      command->first_key = keys.index;
      command->last_key = last;
      command->key_step = keys.step;
    } else if (command->last_key >= 0 && command->last_key + 1 == keys.index && command->key_step == 1 &&
               keys.step == 1) {
      command->last_key = last;
    } else {
      command->flags |= kMovableKeys;
    }
  }
}

}  // namespace

struct CommandTable::Slot {
  Digest digest{};
  std::string_view name;  // lower case
  Command* command = nullptr;
};

CommandTable::CommandTable() : slots_(kInitialSlots) {}
CommandTable::~CommandTable() = default;

void CommandTable::AddFamily(std::span<const CommandSpec> specs) {
  for (const CommandSpec& spec : specs) {
    PINYON_CHECK(Find(spec.name) == nullptr);
    Command* command = Build(spec, nullptr);
    commands_.push_back(command);
    Insert(command->name, command);
  }
}

Command* CommandTable::Build(const CommandSpec& spec, Command* parent) {
  PINYON_CHECK(spec.arity != 0 && (spec.handler != nullptr || !spec.subcommands.empty()));
  PINYON_CHECK(parent == nullptr || spec.subcommands.empty());
  Command* command = owned_.emplace_back(std::make_unique<Command>()).get();
  command->spec = &spec;
  command->number = static_cast<uint16_t>(owned_.size() - 1);
  command->parent = parent;
  command->name = spec.name;
  if (parent != nullptr) {
    const std::string full_name = std::string(parent->name) + '|' + spec.name;
    command->name = *names_.emplace_back(std::make_unique<std::string>(full_name));
  }
  PINYON_CHECK(ToLower(command->name) == command->name);
  CheckSyntaxLine(spec);
  command->flags = spec.flags;
  command->acl = DerivedAcl(spec.flags, spec.acl);
  DeriveKeyRange(spec, command);
  for (const CommandSpec& subcommand : spec.subcommands) {
    PINYON_CHECK(FindSubcommand(*command, subcommand.name) == nullptr);
    command->subcommands.push_back(Build(subcommand, command));
  }
  return command;
}

void CommandTable::Insert(std::string_view name, Command* command) {
  if ((used_slots_ + 1) * 2 > slots_.size()) {
    std::vector<Slot> old = std::move(slots_);
    slots_ = std::vector<Slot>(old.size() * 2);
    used_slots_ = 0;
    for (const Slot& slot : old) {
      if (slot.command != nullptr) Insert(slot.name, slot.command);
    }
  }
  const Digest digest = DigestOf(name);
  size_t index = HashOf(digest) & (slots_.size() - 1);
  while (slots_[index].command != nullptr) index = (index + 1) & (slots_.size() - 1);
  slots_[index] = {digest, name, command};
  ++used_slots_;
}

bool CommandTable::Rename(std::string_view name, std::string_view new_name) {
  Command* command = Find(name);
  if (command == nullptr || Find(new_name) != nullptr) return false;
  // The command leaves its slot: an open-addressed table closes the gap most simply by being built anew.
  std::vector<Slot> old = std::move(slots_);
  slots_ = std::vector<Slot>(old.size());
  used_slots_ = 0;
  for (const Slot& slot : old) {
    if (slot.command != nullptr && slot.command != command) Insert(slot.name, slot.command);
  }
  if (new_name.empty()) {
    std::erase(commands_, command);
    return true;
  }
  Insert(*names_.emplace_back(std::make_unique<std::string>(ToLower(new_name))), command);
  return true;
}

Command* CommandTable::Find(std::string_view name) const {
  const Digest digest = DigestOf(name);
  const size_t mask = slots_.size() - 1;
  for (size_t index = HashOf(digest) & mask;; index = (index + 1) & mask) {
    const Slot& slot = slots_[index];
    if (slot.command == nullptr) return nullptr;
    if (slot.digest.head != digest.head || slot.digest.tail != digest.tail) continue;
    if (slot.name.size() != name.size()) continue;
    if (name.size() <= 16 || EqualsIgnoreCase(slot.name, name)) return slot.command;
  }
}

Command* CommandTable::FindSubcommand(const Command& container, std::string_view name) const {
  for (Command* subcommand : container.subcommands) {
    if (EqualsIgnoreCase(subcommand->spec->name, name)) return subcommand;
  }
  return nullptr;
}

Command* CommandTable::Resolve(Args args) const {
  PINYON_ASSERT(!args.empty());
  Command* command = Find(args[0]);
  if (command == nullptr || command->subcommands.empty() || args.size() == 1) return command;
  return FindSubcommand(*command, args[1]);
}

void CommandTable::ResetStats() {
  for (const std::unique_ptr<Command>& command : owned_) {
    command->cycles = 0;
    command->stats = {};
  }
}

}  // namespace pinyon
