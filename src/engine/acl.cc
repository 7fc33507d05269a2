#include "engine/acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "base/assert.h"
#include "base/sha256.h"
#include "base/strings.h"
#include "engine/client_line.h"
#include "engine/session_subscriber.h"

namespace pinyon {

namespace {

constexpr std::string_view kDefaultName = "default";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

}  // namespace

void AclOptions::Declare(SettingsRegistry& settings) {
  settings.AddString("requirepass", {.target = &requirepass, .flags = setting::kSensitive, .apply = [this] {
                                       if (on_requirepass_changed) on_requirepass_changed();
                                       return SettingError();
                                     }});
  settings.AddString("aclfile", {.target = &file, .flags = setting::kImmutable, .rewrite_empty = false});
  settings.AddInteger("acllog-max-len", {.target = &log_max_entries, .max = LONG_MAX, .default_value = 128});
  settings.AddEnum("acl-pubsub-default",
                   {.target = &pubsub_default,
                    .choices = {{"allchannels", static_cast<int>(PubsubDefault::kAllChannels)},
                                {"resetchannels", static_cast<int>(PubsubDefault::kResetChannels)}},
                    .default_value = static_cast<int>(PubsubDefault::kResetChannels)});
}

Acl::Acl(const CommandTable& table, SessionRegistry& sessions, ServerControl& server, AclOptions& options)
    : table_(table), sessions_(sessions), server_(server), options_(options), log_(options.log_max_entries) {
  auto user = std::make_unique<AclUser>(AclUser::Unlimited(std::string(kDefaultName)));
  user->SetOnlyPassword(options_.requirepass);
  default_user_ = user.get();
  users_.emplace(kDefaultName, std::move(user));
  Refresh();
  options_.on_requirepass_changed = [this] { SetDefaultPassword(options_.requirepass); };
}

Acl::~Acl() { options_.on_requirepass_changed = nullptr; }

AclUser* Acl::Find(std::string_view name) const {
  const auto it = users_.find(name);
  return it == users_.end() ? nullptr : it->second.get();
}

const AclCommands& Acl::commands() {
  if (commands_ == nullptr) commands_ = std::make_unique<AclCommands>(table_);
  PINYON_ASSERT(commands_->items().size() >= table_.all().size());
  return *commands_;
}

// --- sessions ---

void Acl::MakeDefault(Session& session) const {
  Login(session, *default_user_);
  session.authenticated = !auth_required_;
}

AclUser* Acl::Authenticate(std::string_view name, std::string_view password) const {
  const std::string hash = Sha256Hex(password);
  AclUser* user = Find(name);
  // Whoever asks must not learn by the clock which users there are.
  const AclUser& compared = user == nullptr ? *default_user_ : *user;
  const bool right = compared.HasPassword(hash);
  if (user == nullptr || !user->enabled()) return nullptr;
  return right || user->nopass() ? user : nullptr;
}

void Acl::Login(Session& session, AclUser& user) const {
  session.user = &user;
  session.authenticated = true;
  session.access_limited = !user.IsUnlimited();
}

void Acl::Refresh() {
  auth_required_ = !default_user_->nopass() || !default_user_->enabled();
  for (const auto& [id, session] : sessions_.all()) {
    session->access_limited = session->user != nullptr && !session->user->IsUnlimited();
  }
}

void Acl::Close(Session& session, const Session* asking) const {
  if (&session == asking) {
    session.closing = true;  // after the reply to its command
  } else {
    server_.CloseSession(session, true);
  }
}

bool Acl::KeepsChannels(const Session& session, const AclUser& user) {
  for (const TopicKind kind : {TopicKind::kChannel, TopicKind::kShardChannel, TopicKind::kPattern}) {
    if (session.subscriber->count(kind) == 0) continue;
    for (const std::string& name : session.subscriber->Names(kind)) {
      if (!user.AllowsChannel(name, kind == TopicKind::kPattern)) return false;
    }
  }
  return true;
}

// Whoever listens to what its user may not listen to any more is closed. `before` is the object to which
// sessions point.
void Acl::CloseSubscribers(const AclUser& before, const AclUser& after, Session* asking) const {
  std::vector<Session*> losers;
  for (const auto& [id, session] : sessions_.all()) {
    if (session->user != &before || session->subscriber == nullptr) continue;
    if (!KeepsChannels(*session, after)) losers.push_back(session);
  }
  for (Session* session : losers) Close(*session, asking);
}

// --- the log ---

void Acl::LogDenial(const Session& session, const Command& command, Args args, AclDecision decision,
                    int64_t now_ms) {
  PINYON_ASSERT(!decision.allowed());
  using Verdict = AclDecision::Verdict;
  const bool is_command = decision.verdict == Verdict::kCommand;
  const std::string info = ClientLine(server_, session, args, now_ms);
  log_.Add({.reason = is_command                          ? AclLog::Reason::kCommand
                      : decision.verdict == Verdict::kKey ? AclLog::Reason::kKey
                                                          : AclLog::Reason::kChannel,
            .context = session.transaction.active() ? AclLog::Context::kMulti : AclLog::Context::kTopLevel,
            .object = is_command ? command.name : args[static_cast<size_t>(decision.arg)],
            .username = UserName(session),
            .client_info = info},
           now_ms);
}

void Acl::LogFailedLogin(const Session& session, Args args, std::string_view username, int64_t now_ms) {
  const std::string info = ClientLine(server_, session, args, now_ms);
  log_.Add({.reason = AclLog::Reason::kAuth,
            .context = session.transaction.active() ? AclLog::Context::kMulti : AclLog::Context::kTopLevel,
            .object = args[0],
            .username = username,
            .client_info = info},
           now_ms);
}

// --- changes ---

AclRuleContext Acl::Context() {
  return {commands(), options_.pubsub_default == AclOptions::PubsubDefault::kAllChannels};
}

AclUser Acl::NewUser(std::string_view name) const {
  return AclUser(std::string(name), options_.pubsub_default == AclOptions::PubsubDefault::kAllChannels);
}

std::string Acl::SetUser(std::string_view name, std::span<const std::string_view> rules, Session* asking) {
  if (HasSpaces(name)) return "Usernames can't contain spaces or null characters";
  std::vector<std::string> joined;
  std::string unmatched;
  if (!JoinSelectors(rules, &joined, &unmatched)) {
    return fmt::format("Unmatched parenthesis in acl selector starting at '{}'.", unmatched);
  }
  AclUser* user = Find(name);
  AclUser changed = user == nullptr ? NewUser(name) : *user;
  for (const std::string& rule : joined) {
    const AclRuleError error = changed.Apply(Context(), rule);
    if (error == AclRuleError::kNone) continue;
    return fmt::format("Error in ACL SETUSER modifier '{}': {}", rule.substr(0, rule.find('\0')),
                       AclRuleErrorText(error));
  }
  if (user == nullptr) {
    users_.emplace(name, std::make_unique<AclUser>(std::move(changed)));
    return {};
  }
  CloseSubscribers(*user, changed, asking);
  *user = std::move(changed);
  Refresh();
  return {};
}

bool Acl::DeleteUser(std::string_view name, Session* asking) {
  const auto it = users_.find(name);
  if (it == users_.end()) return false;
  PINYON_CHECK(it->second.get() != default_user_);
  const std::unique_ptr<AclUser> user = std::move(it->second);
  users_.erase(it);
  std::vector<Session*> orphans;
  for (const auto& [id, session] : sessions_.all()) {
    if (session->user == user.get()) orphans.push_back(session);
  }
  for (Session* session : orphans) {
    MakeDefault(*session);
    session->authenticated = false;
    Close(*session, asking);
  }
  return true;
}

void Acl::SetDefaultPassword(std::string_view password) {
  default_user_->SetOnlyPassword(password);
  Refresh();
}

std::string Acl::CheckDefinition(const AclCommands& commands, const Definition& definition) {
  PINYON_ASSERT(!definition.empty());
  const std::string& name = definition[0];
  if (HasSpaces(name)) return "Spaces not allowed in ACL usernames";
  const std::vector<std::string_view> rules(definition.begin() + 1, definition.end());
  std::vector<std::string> joined;
  std::string unmatched;
  if (!JoinSelectors(rules, &joined, &unmatched)) {
    return fmt::format("Unmatched parenthesis in acl selector starting at '{}'.", unmatched);
  }
  AclUser user(name, false);
  for (const std::string& rule : joined) {
    const AclRuleError error = user.Apply({commands}, rule);
    if (error == AclRuleError::kNone) continue;
    // A rule may hold a password.
    const std::string_view shown = error == AclRuleError::kUnknownCommand ? rule : std::string_view();
    return fmt::format("Error in user declaration '{}'{}: {}", name,
                       shown.empty() ? "" : fmt::format(", rule '{}'", shown), AclRuleErrorText(error));
  }
  return {};
}

std::string Acl::DefineUsers(const std::vector<Definition>& definitions) {
  for (const Definition& definition : definitions) {
    std::string error = CheckDefinition(commands(), definition);
    if (!error.empty()) return error;
    // What the default user has been until now does not count.
    std::vector<std::string_view> rules = {"reset"};
    if (definition[0] != kDefaultName) rules.clear();
    rules.insert(rules.end(), definition.begin() + 1, definition.end());
    error = SetUser(definition[0], rules, nullptr);
    if (!error.empty()) return error;
  }
  return {};
}

// --- files ---

// Reports all unknown commands of a line, but only the first of other mistakes, and of those not the rule: it
// may hold a password.
void Acl::LoadLine(std::string_view line, std::string_view place, size_t number, Users* users,
                   std::string* errors) {
  const std::vector<std::string_view> words = Words(line);
  if (words[0] != "user" || words.size() < 2) {
    *errors += fmt::format("{} should start with user keyword followed by the username. ", place);
    return;
  }
  const std::string_view name = words[1];
  if (HasSpaces(name)) {
    *errors += fmt::format("'{}': username '{}' contains invalid characters. ", place, name);
    return;
  }
  if (users->contains(name)) {
    *errors += fmt::format("WARNING: Duplicate user '{}' found on line {}. ", name, number);
    return;
  }
  std::vector<std::string> rules;
  std::string unmatched;
  if (!JoinSelectors(std::span(words).subspan(2), &rules, &unmatched)) {
    *errors += fmt::format("{}: Unmatched parenthesis in selector definition. ", place);
    return;
  }
  AclUser user = NewUser(name);
  bool told = false;
  for (const std::string& rule : rules) {
    const AclRuleError error = user.Apply(Context(), Trim(rule));
    if (error == AclRuleError::kUnknownCommand) {
      *errors +=
          fmt::format("{}: Error in applying operation '{}': {}. ", place, rule, AclRuleErrorText(error));
    } else if (error != AclRuleError::kNone && !std::exchange(told, true)) {
      *errors += fmt::format("{}: {}. ", place, AclRuleErrorText(error));
    }
  }
  users->emplace(name, std::make_unique<AclUser>(std::move(user)));
}

std::string Acl::LoadText(std::string_view text, std::string_view path, Session* asking) {
  Users users;
  std::string errors;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty()) LoadLine(line, fmt::format("{}:{}", path, number), number, &users, &errors);
  }
  if (!errors.empty()) {
    return errors +
           "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  }
  if (!users.contains(kDefaultName)) {
    users.emplace(kDefaultName, std::make_unique<AclUser>(AclUser::Unlimited(std::string(kDefaultName))));
  }
  TakeOver(std::move(users), asking);
  return {};
}

// Clients of the default user stay, all others are closed, as Redis 7.0 does: they can log in again.
void Acl::TakeOver(Users users, Session* asking) {
  const auto it = users.find(kDefaultName);
  PINYON_ASSERT(it != users.end());
  CloseSubscribers(*default_user_, *it->second, asking);
  *default_user_ = std::move(*it->second);
  std::vector<std::string> old_names;
  for (const auto& [name, user] : users_) {
    if (user.get() != default_user_) old_names.push_back(name);
  }
  for (const std::string& name : old_names) DeleteUser(name, asking);
  PINYON_ASSERT(users_.size() == 1);
  for (auto& [name, user] : users) {
    if (name != kDefaultName) users_.emplace(name, std::move(user));
  }
  Refresh();
}

std::vector<std::string> Acl::Lines() {
  std::vector<std::string> lines;
  for (const auto& [name, user] : users_) lines.push_back(user->Line(commands()));
  return lines;
}

}  // namespace pinyon
