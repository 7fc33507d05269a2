// The kinds of directives: how each parses its words, prints its value and says what is wrong.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/settings.h"
#include "base/settings_text.h"
#include "base/strings.h"

namespace pinyon {
namespace {

using Args = std::vector<std::string>;
using setting::Phase;

constexpr int64_t kMaxPercent = 100;

std::string ToOctal(int64_t value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, 8);
  return std::string(digits, end.ptr);
}

bool ParseOctal(std::string_view text, int64_t* value) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *value, 8);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

SettingError OutOfRange(int64_t min, int64_t max, bool octal) {
  const std::string low = octal ? ToOctal(min) : std::to_string(min);
  const std::string high = octal ? ToOctal(max) : std::to_string(max);
  return "argument must be between " + low + " and " + high + " inclusive";
}

SettingError ParseIntegerValue(const IntegerSetting& spec, std::string_view text, int64_t* value) {
  if (spec.octal) {
    if (!ParseOctal(text, value)) return "argument couldn't be parsed as an octal number";
  } else if (!ParseInt64(text, value)) {
    return "argument couldn't be parsed into an integer";
  }
  if (*value < spec.min || *value > spec.max) return OutOfRange(spec.min, spec.max, spec.octal);
  return spec.validate ? spec.validate(*value) : SettingError();
}

SettingError ParseMemoryValue(const MemorySetting& spec, std::string_view text, int64_t* value) {
  if (spec.percent && text.ends_with('%')) {
    if (!ParseInt64(text.substr(0, text.size() - 1), value) || *value < 0) {
      return "argument must be a memory or percent value";
    }
    if (*value > kMaxPercent) return "percentage argument must be less or equal to 100";
    *value = -*value;
  } else {
    uint64_t bytes = 0;
    if (!ParseMemory(text, &bytes)) {
      return spec.percent ? "argument must be a memory or percent value" : "argument must be a memory value";
    }
    if (bytes > static_cast<uint64_t>(spec.max) || static_cast<int64_t>(bytes) < spec.min) {
      return OutOfRange(spec.min, spec.max, false);
    }
    *value = static_cast<int64_t>(bytes);
  }
  return spec.validate ? spec.validate(*value) : SettingError();
}

SettingError ParseEnumValue(const EnumSetting& spec, const Args& args, int* value) {
  bool known = !args.empty();
  *value = 0;
  for (const std::string& word : args) {
    const auto choice =
        std::find_if(spec.choices.begin(), spec.choices.end(),
                     [&](const EnumChoice& candidate) { return EqualsIgnoreCase(candidate.name, word); });
    if (choice == spec.choices.end()) {
      known = false;
      break;
    }
    *value |= choice->value;
  }
  if (!known) {
    std::string error = "argument(s) must be one of the following: ";
    for (const EnumChoice& choice : spec.choices) {
      if (&choice != &spec.choices.front()) error += ", ";
      error += choice.name;
    }
    return error;
  }
  return spec.validate ? spec.validate(*value) : SettingError();
}

std::string FormatEnumValue(const EnumSetting& spec, int value) {
  std::string text;
  for (const EnumChoice& choice : spec.choices) {
    if (choice.value == value) return std::string(choice.name);
    if (!spec.bit_flags || choice.value == 0 || (value & choice.value) != choice.value) continue;
    if (!text.empty()) text += ' ';
    text += choice.name;
  }
  PINYON_ASSERT(!text.empty());
  return text;
}

}  // namespace

void IntegerTarget::Store(int64_t value) const {
  store_(member_, value);
  PINYON_ASSERT(load_(member_) == value);
}

void SettingsRegistry::AddBool(std::string_view name, BoolSetting spec) {
  PINYON_CHECK(spec.target != nullptr && (spec.flags & setting::kMultiArg) == 0);
  *spec.target = spec.default_value;
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  directive.apply = std::move(spec.apply);
  directive.get = [target = spec.target] { return *target ? "yes" : "no"; };
  directive.set = [target = spec.target, validate = std::move(spec.validate)](const Args& args,
                                                                              Phase) -> SettingError {
    const bool value = EqualsIgnoreCase(args[0], "yes");
    if (!value && !EqualsIgnoreCase(args[0], "no")) return "argument must be 'yes' or 'no'";
    if (SettingError error = validate ? validate(value) : SettingError(); !error.empty()) return error;
    *target = value;
    return {};
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddInteger(std::string_view name, IntegerSetting spec) {
  PINYON_CHECK(spec.target.IsSet() && spec.min <= spec.default_value && spec.default_value <= spec.max);
  PINYON_CHECK((spec.flags & setting::kMultiArg) == 0);
  spec.target.Store(spec.default_value);
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  directive.apply = std::move(spec.apply);
  directive.get = [target = spec.target, octal = spec.octal] {
    return octal ? ToOctal(target.Load()) : std::to_string(target.Load());
  };
  directive.set = [spec = std::move(spec)](const Args& args, Phase) {
    int64_t value = 0;
    SettingError error = ParseIntegerValue(spec, args[0], &value);
    if (error.empty()) spec.target.Store(value);
    return error;
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddMemory(std::string_view name, MemorySetting spec) {
  PINYON_CHECK(spec.target.IsSet() && 0 <= spec.min && spec.min <= spec.max);
  PINYON_CHECK((spec.flags & setting::kMultiArg) == 0);
  spec.target.Store(spec.default_value);
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  directive.apply = std::move(spec.apply);
  const auto format_percent = [](int64_t value) { return std::to_string(-value) + "%"; };
  directive.get = [target = spec.target, format_percent] {
    const int64_t value = target.Load();
    return value < 0 ? format_percent(value) : std::to_string(value);
  };
  directive.rewrite = [target = spec.target, format_percent]() -> std::vector<std::string> {
    const int64_t value = target.Load();
    return {value < 0 ? format_percent(value) : FormatMemory(value)};
  };
  directive.set = [spec = std::move(spec)](const Args& args, Phase) {
    int64_t value = 0;
    SettingError error = ParseMemoryValue(spec, args[0], &value);
    if (error.empty()) spec.target.Store(value);
    return error;
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddEnum(std::string_view name, EnumSetting spec) {
  PINYON_CHECK(spec.target.IsSet() && !spec.choices.empty());
  PINYON_CHECK(spec.bit_flags == ((spec.flags & setting::kMultiArg) != 0));
  spec.target.Store(spec.default_value);
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  if (spec.bit_flags) {
    directive.min_args = 0;  // so that an empty value gets the text that lists the choices
    directive.max_args = SIZE_MAX;
  }
  directive.apply = std::move(spec.apply);
  // Not moved: the two closures each need the table.
  directive.get = [spec] { return FormatEnumValue(spec, spec.target.Load()); };
  directive.set = [spec](const Args& args, Phase) {
    int value = 0;
    SettingError error = ParseEnumValue(spec, args, &value);
    if (error.empty()) spec.target.Store(value);
    return error;
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddString(std::string_view name, StringSetting spec) {
  PINYON_CHECK(spec.target != nullptr && (spec.flags & setting::kMultiArg) == 0);
  *spec.target = spec.default_value;
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  directive.is_string = true;
  directive.rewrite_empty = spec.rewrite_empty;
  directive.apply = std::move(spec.apply);
  directive.get = [target = spec.target] { return *target; };
  directive.set = [target = spec.target, validate = std::move(spec.validate)](const Args& args, Phase) {
    SettingError error = validate ? validate(args[0]) : SettingError();
    if (error.empty()) *target = args[0];
    return error;
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddStringList(std::string_view name, StringListSetting spec) {
  PINYON_CHECK(spec.target != nullptr && spec.default_value.size() <= spec.max_count);
  *spec.target = spec.default_value;
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags | setting::kMultiArg;
  directive.min_args = 0;
  directive.max_args = spec.max_count;
  directive.apply = std::move(spec.apply);
  directive.get = [target = spec.target] { return JoinWords(*target); };
  directive.set = [target = spec.target, validate = std::move(spec.validate)](const Args& args, Phase) {
    SettingError error = validate ? validate(args) : SettingError();
    if (error.empty()) *target = args;
    return error;
  };
  Add(std::move(directive));
}

void SettingsRegistry::AddSpecial(std::string_view name, SpecialSetting spec) {
  PINYON_CHECK(spec.set && spec.get);
  Directive directive;
  directive.name = name;
  directive.alias = spec.alias;
  directive.flags = spec.flags;
  if ((spec.flags & setting::kMultiArg) != 0) {
    directive.min_args = spec.min_args;
    directive.max_args = spec.max_args;
  }
  directive.set = std::move(spec.set);
  directive.get = std::move(spec.get);
  directive.rewrite = std::move(spec.rewrite);
  directive.apply = std::move(spec.apply);
  Add(std::move(directive));
}

}  // namespace pinyon
