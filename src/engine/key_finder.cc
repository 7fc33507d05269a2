// Finding a request's keys by its command's key specifications (Redis documentation, "Command key
// specifications").
#include <algorithm>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/strings.h"
#include "engine/command_table.h"

namespace pinyon {

namespace {

// Flags of a specification that describe a key that it found, not the specification.
uint32_t FoundFlags(const KeySpec& spec) { return spec.flags & ~(kKeyIncomplete | kKeyVariableFlags); }

// The argument behind the keyword, 0 when the keyword is missing or the last argument.
int FindKeyword(const KeySpec& spec, Args args) {
  const int argc = static_cast<int>(args.size());
  const int step = spec.index > 0 ? 1 : -1;
  for (int i = spec.index > 0 ? spec.index : argc + spec.index; i > 0 && i < argc - 1; i += step) {
    if (EqualsIgnoreCase(args[static_cast<size_t>(i)], spec.keyword)) return i + 1;
  }
  return 0;
}

bool AddRange(const KeySpec& spec, int first, int argc, std::vector<KeyPosition>* keys) {
  int last = 0;
  if (spec.last >= 0) {
    last = first + spec.last;
  } else if (spec.limit <= 1) {
    last = argc + spec.last;
  } else {
    last = first + (argc - first) / spec.limit + spec.last;
  }
  PINYON_ASSERT(spec.step > 0);
  if (first >= argc || last >= argc || last < first) return false;
  for (int i = first; i <= last; i += spec.step) keys->push_back({i, FoundFlags(spec)});
  return true;
}

bool AddCounted(const KeySpec& spec, int begin, int min_count, Args args, std::vector<KeyPosition>* keys) {
  const int argc = static_cast<int>(args.size());
  const int number_at = begin + spec.key_num_index;
  if (number_at >= argc) return false;
  int64_t count = 0;
  if (!ParseInt64(args[static_cast<size_t>(number_at)], &count) || count < min_count || count > argc)
    return false;
  const int first = begin + spec.last;
  if (count > 0 && first + (count - 1) * spec.step >= argc) return false;
  for (int i = 0; i < count; ++i) keys->push_back({first + i * spec.step, FoundFlags(spec)});
  return true;
}

bool AddKeysOfSpec(const KeySpec& spec, int min_count, Args args, std::vector<KeyPosition>* keys) {
  int begin = spec.index;
  if (spec.begin == KeySpec::Begin::kKeyword) {
    begin = FindKeyword(spec, args);
    if (begin == 0) return true;  // an option that was not given
  }
  switch (spec.find) {
    case KeySpec::Find::kRange: return AddRange(spec, begin, static_cast<int>(args.size()), keys);
    case KeySpec::Find::kKeyNum: return AddCounted(spec, begin, min_count, args, keys);
    case KeySpec::Find::kUnknown: return false;
  }
  return false;
}

}  // namespace

bool FindKeys(const Command& command, Args args, std::vector<KeyPosition>* keys) {
  keys->clear();
  const CommandSpec& spec = *command.spec;
  bool incomplete = false;  // then get_keys tells all keys, of the incomplete specification too
  uint32_t get_keys_flags = 0;
  for (const KeySpec& key_spec : spec.keys) {
    const bool unknown = key_spec.begin == KeySpec::Begin::kUnknown;
    if (unknown || (key_spec.flags & kKeyIncomplete)) get_keys_flags = FoundFlags(key_spec);
    if (key_spec.flags & kKeyIncomplete) incomplete = true;
  }
  if (spec.get_keys == nullptr || !incomplete) {
    const int min_count = (command.flags & kNoMandatoryKeys) ? 0 : 1;
    for (const KeySpec& key_spec : spec.keys) {
      if (key_spec.begin == KeySpec::Begin::kNone) break;
      if (key_spec.begin == KeySpec::Begin::kUnknown || (key_spec.flags & kKeyNotKey)) continue;
      if (!AddKeysOfSpec(key_spec, min_count, args, keys)) return false;
    }
  }
  if (spec.key_flags != nullptr) {
    const uint32_t flags = spec.key_flags(args);
    for (KeyPosition& key : *keys) key.flags = flags;
  }
  if (spec.get_keys != nullptr && get_keys_flags != 0) {
    std::vector<int> positions;
    spec.get_keys(args, &positions);
    for (const int position : positions) {
      PINYON_ASSERT(position > 0 && static_cast<size_t>(position) < args.size());
      keys->push_back({position, get_keys_flags});
    }
  }
  return true;
}

}  // namespace pinyon
