// A user: whether one may log in as it, by which passwords, and what it may do (its selectors).
//
// Only SHA-256 digests of passwords are kept. Comparing a password takes the same time whether it is right,
// wrong, or nearly right: it is hashed, and the digest compared with all of the user's, none is left early.
//
// Rules are applied to a copy that takes the user's place when all of them were good, so a user is never half
// changed. Users keep their addresses: sessions point to them (engine/acl.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/acl_selector.h"
#include "engine/session.h"

namespace pinyon {

class AclUser {
 public:
  // Off, without passwords, and may do nothing.
  AclUser(std::string name, bool all_channels)
      : name_(std::move(name)), selectors_{AclSelector(all_channels)} {}

  // On, for any password, and may do everything.
  static AclUser Unlimited(std::string name);

  const std::string& name() const { return name_; }
  bool enabled() const { return enabled_; }
  // Any password will do.
  bool nopass() const { return nopass_; }
  const std::vector<std::string>& password_hashes() const { return password_hashes_; }
  const std::vector<AclSelector>& selectors() const { return selectors_; }

  AclRuleError Apply(const AclRuleContext& context, std::string_view rule);

  // This password and no other; an empty one lets everybody in.
  void SetOnlyPassword(std::string_view password);
  // By the digest of a password (Sha256Hex).
  bool HasPassword(std::string_view hash) const;

  AclDecision Check(const Command& command, Args args, std::vector<KeyPosition>* scratch) const;
  // Whether a selector that allows the request allows to read any key, too.
  bool MayReadAllKeys(const Command& command, Args args, std::vector<KeyPosition>* scratch) const;
  bool AllowsChannel(std::string_view name, bool is_pattern) const;
  bool IsUnlimited() const;

  // "on", "nopass", "sanitize-payload" ...
  std::vector<std::string_view> Flags() const;
  // "user alice on #... ~* resetchannels -@all +get (~k resetchannels -@all +set)": the line of ACL LIST,
  // which configuration files have.
  std::string Line(const AclCommands& commands) const;

 private:
  // Which of the two rules came last; neither has an effect, as RESTORE checks everybody's payloads.
  enum class Sanitizing : uint8_t { kUnsaid, kSanitize, kSkip };

  AclRuleError ApplyWord(const AclRuleContext& context, std::string_view rule, bool* known);
  AclRuleError ApplyPassword(std::string_view rule);
  AclRuleError AddSelector(const AclRuleContext& context, std::string_view rule);
  void Reset(const AclRuleContext& context);
  // The request's keys, none where they cannot be told: then its command will say what is wrong.
  static void CollectKeys(const Command& command, Args args, std::vector<KeyPosition>* keys);

  std::string name_;
  bool enabled_ = false;
  bool nopass_ = false;
  Sanitizing sanitizing_ = Sanitizing::kUnsaid;
  std::vector<std::string> password_hashes_;  // 64 lower-case hexadecimal digits each
  std::vector<AclSelector> selectors_;        // the first is the root's
};

// What CLIENT LIST, ACL WHOAMI and ACL LOG call the session's user.
inline std::string_view UserName(const Session& session) {
  return session.user == nullptr ? std::string_view("(superuser)") : session.user->name();
}

// The rules of a user with those of each selector in one piece, as they were before somebody split them at
// spaces: "(+get", "~a)" becomes "(+get ~a)". False when a parenthesis is not closed: `unmatched` is where it
// opens, with what follows.
bool JoinSelectors(std::span<const std::string_view> rules, std::vector<std::string>* joined,
                   std::string* unmatched);

}  // namespace pinyon
