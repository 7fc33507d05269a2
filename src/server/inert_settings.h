// Directives of Redis 7.2 that no module of Pinyon implements yet. They are known so that a redis.conf starts
// the server unchanged, that CONFIG GET and SET answer as Redis does, and that the user is told which of them
// do nothing.
//
// Directives that guard the server are the exception: one that is silently open is worse than one that does
// not start, so what would encrypt access (tls-port) is refused, as is loadmodule, whose commands would be
// missing.
//
// Declared last: names that a module has declared are skipped, so a module takes a directive over by
// declaring it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace pinyon {

class InertSettings {
 public:
  InertSettings() = default;
  InertSettings(const InertSettings&) = delete;
  InertSettings& operator=(const InertSettings&) = delete;

  // Declares what `registry` does not know yet; this object holds the values and must outlive the registry's
  // use.
  void Declare(SettingsRegistry* registry);

  // After loading: the names that were given a value other than their default, or a line (loadmodule), and
  // have no effect. For one line in the log.
  std::vector<std::string> NamesInUse(const SettingsRegistry& registry) const;

  // Set by the server: called when CONFIG SET gave the directive of that name a value that would have an
  // effect.
  std::function<void(std::string_view name)> on_changed;

 private:
  // The `apply` of the directive of that name.
  std::function<SettingError()> ChangeReport(SettingsRegistry* registry, std::string_view name);
  void DeclareEnums(SettingsRegistry* registry);
  void DeclareSpecials(SettingsRegistry* registry);
  void DeclarePercentiles(SettingsRegistry* registry);
  void DeclareOomScores(SettingsRegistry* registry);
  void DeclareReplicaOf(SettingsRegistry* registry);
  void DeclareLines(SettingsRegistry* registry);

  // Deques: the registry keeps pointers to their elements.
  std::deque<bool> bools_;
  std::deque<int64_t> integers_;
  std::deque<int> enums_;
  std::deque<std::string> strings_;
  std::vector<std::string> percentiles_ = {"50", "99", "99.9"};
  std::vector<std::string> oom_scores_ = {"0", "200", "800"};
  std::string replicaof_;
  std::set<std::string> lines_seen_;
};

}  // namespace pinyon
