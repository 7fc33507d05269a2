#include "engine/notify.h"

#include <vector>

#include "base/strings.h"

namespace pinyon {

namespace {

struct Letter {
  char letter;
  uint32_t flag;
};

// In the order in which CONFIG GET shows them. "A" stands for the first ten.
constexpr Letter kLetters[] = {
    {'g', kNotifyGeneric},  {'$', kNotifyString},  {'l', kNotifyList},    {'s', kNotifySet},
    {'h', kNotifyHash},     {'z', kNotifyZset},    {'x', kNotifyExpired}, {'e', kNotifyEvicted},
    {'t', kNotifyStream},   {'d', kNotifyModule},  {'n', kNotifyNew},     {'K', kNotifyKeyspace},
    {'E', kNotifyKeyevent}, {'m', kNotifyKeyMiss},
};

constexpr uint32_t kAll = kNotifyGeneric | kNotifyString | kNotifyList | kNotifySet | kNotifyHash |
                          kNotifyZset | kNotifyExpired | kNotifyEvicted | kNotifyStream | kNotifyModule;

uint32_t FlagOf(char c) {
  if (c == 'A') return kAll;
  for (const Letter& letter : kLetters) {
    if (letter.letter == c) return letter.flag;
  }
  return 0;
}

}  // namespace

bool ParseNotifyClasses(std::string_view text, uint32_t* classes) {
  uint32_t parsed = 0;
  for (const char c : text) {
    const uint32_t flag = FlagOf(c);
    if (flag == 0) return false;
    parsed |= flag;
  }
  *classes = parsed;
  return true;
}

// With A, Redis 7.0 does not show n.
std::string NotifyClassesText(uint32_t classes) {
  const bool all = (classes & kAll) == kAll;
  const uint32_t covered = all ? kAll | kNotifyNew : 0;
  std::string text = all ? "A" : "";
  for (const Letter& letter : kLetters) {
    if ((classes & letter.flag & ~covered) != 0) text += letter.letter;
  }
  return text;
}

void DeclareNotifyClasses(SettingsRegistry& settings, uint32_t* target, std::function<void()> apply) {
  settings.AddSpecial(
      "notify-keyspace-events",
      {.set = [target](const std::vector<std::string>& args, setting::Phase) -> SettingError {
         if (ParseNotifyClasses(args[0], target)) return {};
         return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
       },
       .get = [target] { return NotifyClassesText(*target); },
       .rewrite = [target] { return std::vector<std::string>{QuoteForLog(NotifyClassesText(*target))}; },
       .apply = [apply = std::move(apply)]() -> SettingError {
         apply();
         return {};
       }});
}

}  // namespace pinyon
