// The inert directives that have a grammar of their own.
#include <cstdio>
#include <string>

#include "base/numbers.h"
#include "base/settings_text.h"
#include "base/strings.h"
#include "server/inert_settings.h"
#include "server/network_options.h"

namespace pinyon {
namespace {

using SettingArgs = std::vector<std::string>;
using setting::kImmutable;
using setting::kInert;
using setting::kMultiArg;
using setting::Phase;

constexpr int64_t kMaxOomScore = 2000;
constexpr size_t kOomScoreCount = 3;

std::string FormatPercentile(double value) {
  char text[32];
  const int length = snprintf(text, sizeof(text), "%.10g", value);
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace

void InertSettings::DeclareSpecials(SettingsRegistry* registry) {
  if (!registry->Has("latency-tracking-info-percentiles")) DeclarePercentiles(registry);
  if (!registry->Has("oom-score-adj-values")) DeclareOomScores(registry);
  if (!registry->Has("replicaof")) DeclareReplicaOf(registry);
}

void InertSettings::DeclarePercentiles(SettingsRegistry* registry) {
  const auto set = [this](const SettingArgs& args, Phase) -> SettingError {
    std::vector<std::string> percentiles;
    for (const std::string& arg : args) {
      double value = 0;
      if (!ParseDouble(arg, &value)) return "Invalid latency-tracking-info-percentiles parameters";
      if (value < 0 || value > 100) {
        return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
      }
      percentiles.push_back(FormatPercentile(value));
    }
    percentiles_ = std::move(percentiles);
    return {};
  };
  registry->AddSpecial("latency-tracking-info-percentiles",
                       {.set = set,
                        .get = [this] { return JoinWords(percentiles_); },
                        .flags = kMultiArg | kInert,
                        .apply = ChangeReport(registry, "latency-tracking-info-percentiles")});
}

void InertSettings::DeclareOomScores(SettingsRegistry* registry) {
  const auto set = [this](const SettingArgs& args, Phase) -> SettingError {
    for (const std::string& arg : args) {
      int64_t value = 0;
      if (!ParseInt64(arg, &value) || value < -kMaxOomScore || value > kMaxOomScore) {
        return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
      }
    }
    oom_scores_ = args;
    return {};
  };
  registry->AddSpecial("oom-score-adj-values", {.set = set,
                                                .get = [this] { return JoinWords(oom_scores_); },
                                                .min_args = kOomScoreCount,
                                                .max_args = kOomScoreCount,
                                                .flags = kMultiArg | kInert,
                                                .apply = ChangeReport(registry, "oom-score-adj-values")});
}

void InertSettings::DeclareReplicaOf(SettingsRegistry* registry) {
  const auto set = [this](const SettingArgs& args, Phase) -> SettingError {
    if (EqualsIgnoreCase(args[0], "no") && EqualsIgnoreCase(args[1], "one")) {
      replicaof_.clear();
      return {};
    }
    int64_t port = 0;
    if (!ParseInt64(args[1], &port) || port < 0 || port > kMaxPort) return "Invalid master port";
    replicaof_ = args[0] + " " + args[1];
    return {};
  };
  const auto rewrite = [this] {
    return replicaof_.empty() ? std::vector<std::string>() : std::vector<std::string>{replicaof_};
  };
  registry->AddSpecial("replicaof", {.set = set,
                                     .get = [this] { return replicaof_; },
                                     .rewrite = rewrite,
                                     .min_args = 2,
                                     .max_args = 2,
                                     .flags = kMultiArg | kImmutable | kInert,
                                     .alias = "slaveof"});
}

}  // namespace pinyon
