// The registry of configuration directives: what redis.conf, the command line and CONFIG GET, SET and REWRITE
// read.
//
// A directive is declared once, by the module that it configures, next to the member that holds its value:
//
//   registry.AddInteger("timeout", {.target = &options->timeout_s, .max = INT_MAX, .default_value = 0});
//
// The registry stores no values. It holds a pointer to the module's own member, so reading a setting on a hot
// path is a plain load, and only this registry writes it. A declaration stores the default into its target at
// once.
//
// Invariants
// - A name or alias is declared once (checked); names are lower case, looked up without regard to case.
// - Targets and everything that callbacks capture outlive the registry; names and enum tables are string
// literals.
// - A failed load or CONFIG SET leaves every target as it was before that call.
// - Not thread-safe: loop thread only. Look-up is O(1), a CONFIG GET pattern O(directives).
//
// Errors are texts in Redis's words; an empty SettingError means success.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pinyon {

using SettingError = std::string;

namespace setting {
enum Flag : uint32_t {
  kModifiable = 0,
  kImmutable = 1U << 0,         // set by file and command line only; CONFIG SET is refused
  kHidden = 1U << 1,            // CONFIG GET answers for the full name only, never for a pattern
  kProtected = 1U << 2,         // CONFIG SET needs enable-protected-configs
  kSensitive = 1U << 3,         // a secret: keep the value out of logs and SLOWLOG
  kDenyWhileLoading = 1U << 4,  // CONFIG SET is refused while the data set loads
  kMultiArg = 1U << 5,          // several words; CONFIG SET splits its one value into them
  kInert = 1U << 6,             // known and remembered, but nothing reads it yet
  kAlwaysWritten = 1U << 7,     // CONFIG REWRITE writes it whatever it is
};

// Who is setting: the file and the command line at start, or CONFIG SET, whose value replaces what was there.
// Lines of a file may accumulate, as those of `save` do: the first one of a source (see BeginSource) is
// kLoad, and replaces what was there, those after it are kLoadMore.
enum class Phase { kLoad, kLoadMore, kRuntime };
}  // namespace setting

// A pointer to any integer member, whatever its width: `.target = &options.timeout_s`. Ranges are the
// directive's to check; a value stored must fit the member (asserted).
class IntegerTarget {
 public:
  IntegerTarget() = default;
  template <typename T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
      IntegerTarget(T* member)  // NOLINT: implicit on purpose, for designated initializers
      : member_(member),
        load_([](const void* from) { return static_cast<int64_t>(*static_cast<const T*>(from)); }),
        store_([](void* to, int64_t value) { *static_cast<T*>(to) = static_cast<T>(value); }) {}

  bool IsSet() const { return member_ != nullptr; }
  int64_t Load() const { return load_(member_); }
  void Store(int64_t value) const;

 private:
  void* member_ = nullptr;
  int64_t (*load_)(const void*) = nullptr;
  void (*store_)(void*, int64_t) = nullptr;
};

// A pointer to an int or to any enum member.
class EnumTarget {
 public:
  EnumTarget() = default;
  template <typename T>
  requires(std::is_enum_v<T> || std::is_same_v<T, int>)
      EnumTarget(T* member)  // NOLINT: implicit on purpose, for designated initializers
      : member_(member),
        load_([](const void* from) { return static_cast<int>(*static_cast<const T*>(from)); }),
        store_([](void* to, int value) { *static_cast<T*>(to) = static_cast<T>(value); }) {}

  bool IsSet() const { return member_ != nullptr; }
  int Load() const { return load_(member_); }
  void Store(int value) const { store_(member_, value); }

 private:
  void* member_ = nullptr;
  int (*load_)(const void*) = nullptr;
  void (*store_)(void*, int) = nullptr;
};

// The callbacks that every kind of directive may have:
// - validate sees the new value before anything is stored; the text that it returns refuses it.
// - apply runs after CONFIG SET stored new values (of all pairs of that call) and at least one changed. A
// text that it
//   returns rolls the whole CONFIG SET back: old values are stored again and every apply that already ran
//   runs again. It may correct its own target (hz is clamped that way). It does not run at start: modules
//   read their members then.

struct BoolSetting {
  bool* target = nullptr;
  bool default_value = false;
  uint32_t flags = 0;
  std::string_view alias = {};
  std::function<SettingError(bool)> validate = {};
  std::function<SettingError()> apply = {};
};

struct IntegerSetting {
  IntegerTarget target = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  int64_t default_value = 0;
  uint32_t flags = 0;
  std::string_view alias = {};
  bool octal = false;  // written and read in base 8 (file modes)
  std::function<SettingError(int64_t)> validate = {};
  std::function<SettingError()> apply = {};
};

// Bytes, with units as Redis has them: 1k is 1000, 1kb is 1024. With `percent` "5%" is stored as -5.
struct MemorySetting {
  IntegerTarget target = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  int64_t default_value = 0;
  uint32_t flags = 0;
  std::string_view alias = {};
  bool percent = false;
  std::function<SettingError(int64_t)> validate = {};
  std::function<SettingError()> apply = {};
};

struct EnumChoice {
  std::string_view name;
  int value;
};

// Names match without regard to case. Of several names with one value CONFIG GET answers the first. With
// `bit_flags` (and kMultiArg) several words are or-ed together (shutdown-on-sigterm).
struct EnumSetting {
  EnumTarget target = {};
  std::vector<EnumChoice> choices = {};
  int default_value = 0;
  uint32_t flags = 0;
  std::string_view alias = {};
  bool bit_flags = false;
  std::function<SettingError(int)> validate = {};
  std::function<SettingError()> apply = {};
};

// An unset string and an empty one are the same thing here, as CONFIG GET shows them; `rewrite_empty` says
// whether CONFIG REWRITE writes `name ""` (a value that differs from the default) or drops the line.
struct StringSetting {
  std::string* target = nullptr;
  std::string_view default_value = {};
  uint32_t flags = 0;
  std::string_view alias = {};
  bool rewrite_empty = true;
  std::function<SettingError(std::string_view)> validate = {};
  std::function<SettingError()> apply = {};
};

// Words separated by spaces (bind). kMultiArg is implied; a single "" is the empty list.
struct StringListSetting {
  std::vector<std::string>* target = nullptr;
  std::vector<std::string> default_value = {};
  size_t max_count = SIZE_MAX;
  uint32_t flags = 0;
  std::string_view alias = {};
  std::function<SettingError(const std::vector<std::string>&)> validate = {};
  std::function<SettingError()> apply = {};
};

// A directive with its own grammar. The owner stores the default before declaring it.
struct SpecialSetting {
  // Parses and stores, or returns an error and changes nothing. Gets exactly one word, unless the flags have
  // kMultiArg: then any number within min_args and max_args, where "" counts as none. Given what get()
  // printed (split at spaces when kMultiArg) in phase kRuntime it must restore that value: so is a failed
  // CONFIG SET undone.
  std::function<SettingError(const std::vector<std::string>& args, setting::Phase phase)> set = {};
  std::function<std::string()> get = {};
  // The values of the lines that CONFIG REWRITE writes, without the name, quoted where needed; without this
  // function, one line of what get() prints, quoted as a whole if empty or not kMultiArg.
  std::function<std::vector<std::string>()> rewrite = {};
  size_t min_args = 0;
  size_t max_args = SIZE_MAX;
  uint32_t flags = 0;
  std::string_view alias = {};
  std::function<SettingError()> apply = {};
};

// A line that only a file or the command line may have and that CONFIG GET and SET do not know:
// rename-command, user, loadmodule.
struct LineSetting {
  std::function<SettingError(const std::vector<std::string>& args)> load = {};
  // As in SpecialSetting; without it CONFIG REWRITE leaves the file's lines of this name alone.
  std::function<std::vector<std::string>()> rewrite = {};
  size_t min_args = 1;
  size_t max_args = SIZE_MAX;
};

// What CONFIG SET may do, by the state of the server and of the connection that asks.
struct SetPolicy {
  bool allow_protected = false;
  bool loading = false;
};

class SettingsRegistry {
 public:
  using Pair = std::pair<std::string, std::string>;

  SettingsRegistry() = default;
  SettingsRegistry(const SettingsRegistry&) = delete;
  SettingsRegistry& operator=(const SettingsRegistry&) = delete;

  void AddBool(std::string_view name, BoolSetting spec);
  void AddInteger(std::string_view name, IntegerSetting spec);
  void AddMemory(std::string_view name, MemorySetting spec);
  void AddEnum(std::string_view name, EnumSetting spec);
  void AddString(std::string_view name, StringSetting spec);
  void AddStringList(std::string_view name, StringListSetting spec);
  void AddSpecial(std::string_view name, SpecialSetting spec);
  void AddLine(std::string_view name, LineSetting spec);

  // Whether a directive or alias of that name is declared; any case.
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Whether CONFIG SET's value for that name must be kept out of logs; false for unknown names.
  bool IsSensitive(std::string_view name) const;

  // Starts another source of lines: a file, an included one, the rest of the including one. See Phase.
  void BeginSource() { loaded_in_source_.clear(); }
  // One line of a file or of the command line, already split: the name, then its arguments.
  SettingError Load(const std::vector<std::string>& words);

  // CONFIG GET: a pattern with any of *?[ matches names and aliases that are not hidden; anything else is
  // looked up and answered in the spelling asked for. Each name is answered once, by order of patterns, then
  // of declaration.
  std::vector<Pair> Get(const std::vector<std::string_view>& patterns) const;
  // The value as CONFIG GET prints it; the name must be declared and not a line directive.
  std::string GetOne(std::string_view name) const;

  // CONFIG SET, all or nothing. Returns the whole error reply ("ERR CONFIG SET failed ..."), or empty.
  std::string Set(const std::vector<std::pair<std::string_view, std::string_view>>& pairs,
                  const SetPolicy& policy);

  // CONFIG REWRITE: the text of a configuration file changed to say what is set now. Comments, unknown lines,
  // includes and order are kept; directives that differ from their defaults and have no line are appended
  // under a comment line.
  std::string RewriteText(std::string_view old_text) const;
  // Rewrites the file at `path`: reads it (a missing file counts as empty), writes a temporary file beside
  // it, fsyncs it, renames it over `path` and fsyncs the folder. Returns what went wrong (strerror's words),
  // or empty.
  SettingError RewriteFile(const std::string& path) const;

  // Names of inert directives whose value is not their default, in order of declaration, for a warning at
  // start.
  std::vector<std::string> InertInUse() const;
  // Every declared name, aliases excluded, in order of declaration.
  std::vector<std::string_view> Names() const;

 private:
  struct Directive {
    std::string_view name;
    std::string_view alias;
    uint32_t flags = 0;
    bool is_line = false;
    bool is_string = false;  // one word whatever it holds: always quoted in a file
    bool rewrite_empty = true;
    size_t min_args = 1;
    size_t max_args = 1;
    std::function<SettingError(const std::vector<std::string>&, setting::Phase)> set;
    std::function<std::string()> get;
    std::function<std::vector<std::string>()> rewrite;
    std::function<SettingError()> apply;
    std::string default_text;  // what get() said right after the declaration
  };

  // One pair of a CONFIG SET under way.
  struct Change {
    const Directive* directive;
    std::string_view asked_name;
    std::string_view new_text;
    std::string old_text;
    bool changed;
  };
  using PairViews = std::vector<std::pair<std::string_view, std::string_view>>;

  void Add(Directive directive);
  const Directive* Find(std::string_view name) const;
  SettingError CheckPairs(const PairViews& pairs, const SetPolicy& policy,
                          std::vector<Change>* changes) const;
  static std::vector<std::string> ArgsFromText(const Directive& directive, std::string_view text);
  static SettingError SetArgs(const Directive& directive, const std::vector<std::string>& args,
                              setting::Phase phase);
  static void Undo(const std::vector<Change>& changes, size_t set_count, size_t applied_count);
  static std::vector<std::string> RewrittenLines(const Directive& directive, bool in_file);

  std::deque<Directive> directives_;  // addresses stay valid while more are declared
  std::unordered_map<std::string, const Directive*> directive_by_name_;  // lower-case names and aliases
  std::unordered_set<const Directive*> loaded_in_source_;
};

}  // namespace pinyon
