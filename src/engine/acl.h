// Access control: the users, who is logged in as whom, and what happens to clients when rules change.
//
// A session points to its user, so a changed rule holds for the next command. Whoever may do everything pays
// for that one test of Session::access_limited, which is set anew for all sessions when users change.
//
// Invariants
// - There is a default user, always at the same address: new connections are its.
// - A session's user is in users(); when a user goes, its sessions are closed, and are the default user's,
//   not authenticated, until that is done.
// - Session::access_limited is that of the session's user.
//
// Costs: checking is in engine/acl_selector.h; a change of rules looks at every session.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/acl_log.h"
#include "engine/acl_options.h"
#include "engine/acl_user.h"
#include "engine/server_control.h"
#include "engine/session_registry.h"

namespace pinyon {

class Acl {
 public:
  using Users = std::map<std::string, std::unique_ptr<AclUser>, std::less<>>;
  // The words of a `user` line behind `user`: the name, then rules.
  using Definition = std::vector<std::string>;

  Acl(const CommandTable& table, SessionRegistry& sessions, ServerControl& server, AclOptions& options);
  ~Acl();
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  AclUser& default_user() const { return *default_user_; }
  AclUser* Find(std::string_view name) const;
  const Users& users() const { return users_; }
  // Built when first asked for, since the table must be complete by then.
  const AclCommands& commands();

  // --- sessions ---
  // Whether a session that has not authenticated may do nothing but that.
  bool AuthRequired() const { return auth_required_; }
  // Makes a new session, or one that is reset, the default user's.
  void MakeDefault(Session& session) const;
  // The user to whom the password belongs, null when there is none or it is off. Takes the same time for
  // right and wrong passwords, and for unknown users.
  AclUser* Authenticate(std::string_view name, std::string_view password) const;
  void Login(Session& session, AclUser& user) const;

  // --- checks ---
  // For a session whose access is limited.
  AclDecision Check(const Session& session, const Command& command, Args args) {
    return Check(*session.user, command, args);
  }
  AclDecision Check(const AclUser& user, const Command& command, Args args) {
    return user.Check(command, args, &scratch_);
  }
  // SORT looks up keys that its arguments do not name.
  bool MayReadAllKeys(const Session& session, const Command& command, Args args) {
    return !session.access_limited || session.user->MayReadAllKeys(command, args, &scratch_);
  }

  // --- the log ---
  AclLog& log() { return log_; }
  void LogDenial(const Session& session, const Command& command, Args args, AclDecision decision,
                 int64_t now_ms);
  void LogFailedLogin(const Session& session, Args args, std::string_view username, int64_t now_ms);

  // --- changes ---
  // `asking` is the session whose command this is, null for none: when it must be closed it still gets its
  // reply. All return an error text without a code, empty when all is well; then nothing has changed.

  // ACL SETUSER: changes a user, or makes one.
  std::string SetUser(std::string_view name, std::span<const std::string_view> rules, Session* asking);
  // ACL DELUSER; false when there is no such user. Not for the default user.
  bool DeleteUser(std::string_view name, Session* asking);
  // requirepass; an empty one lets everybody in.
  void SetDefaultPassword(std::string_view password);
  // `user` lines of a configuration file, at start.
  std::string DefineUsers(const std::vector<Definition>& definitions);
  // The text of an ACL file takes the place of all users; `path` is how errors call it.
  std::string LoadText(std::string_view text, std::string_view path, Session* asking);

  // --- descriptions ---
  // "user default on nopass ~* &* +@all", in the order of names.
  std::vector<std::string> Lines();

  // What is wrong with a `user` line of a configuration file; empty if nothing is.
  static std::string CheckDefinition(const AclCommands& commands, const Definition& definition);

 private:
  AclRuleContext Context();
  AclUser NewUser(std::string_view name) const;
  void Refresh();
  void Close(Session& session, const Session* asking) const;
  void CloseSubscribers(const AclUser& before, const AclUser& after, Session* asking) const;
  static bool KeepsChannels(const Session& session, const AclUser& user);
  void LoadLine(std::string_view line, std::string_view place, size_t number, Users* users,
                std::string* errors);
  void TakeOver(Users users, Session* asking);

  const CommandTable& table_;
  SessionRegistry& sessions_;
  ServerControl& server_;
  AclOptions& options_;
  std::unique_ptr<AclCommands> commands_;
  Users users_;
  AclUser* default_user_ = nullptr;
  bool auth_required_ = false;
  AclLog log_;
  std::vector<KeyPosition> scratch_;
};

}  // namespace pinyon
