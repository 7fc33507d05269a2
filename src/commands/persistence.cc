// Commands about what reaches the disk: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF.
#include "commands/answer.h"
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// SAVE
void Save(Call& call) { ReplyAnswer(call, call.engine.persistence->Save()); }

// BGSAVE [SCHEDULE]
void Bgsave(Call& call) {
  const bool schedule = call.argc() == 2 && call.Is(1, "schedule");
  if (call.argc() > 1 && !schedule) {
    call.SyntaxError();
    return;
  }
  ReplyAnswer(call, call.engine.persistence->BackgroundSave(schedule, call.session.transaction.active()));
}

// BGREWRITEAOF
void Bgrewriteaof(Call& call) {
  ReplyAnswer(call, call.engine.persistence->RewriteLog(call.session.transaction.active()));
}

// LASTSAVE
void Lastsave(Call& call) { call.reply.Integer(call.engine.persistence->LastSave()); }

constexpr CommandSpec kPersistenceCommands[] = {
    {.name = "save",
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti,
     .handler = Save,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of keys in all databases",
     .summary = "Writes a snapshot to disk while everybody waits."},
    {.name = "bgsave",
     .arity = -1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .handler = Bgsave,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Writes a snapshot to disk in the background.",
     .syntax = "[SCHEDULE]",
     .history = {{"3.2.2", "Added the `SCHEDULE` option."}}},
    {.name = "bgrewriteaof",
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .handler = Bgrewriteaof,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Rewrites the append-only file in the background."},
    {.name = "lastsave",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .handler = Lastsave,
     .acl = kAclAdmin | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the Unix time of the last snapshot that was written.",
     .tips = "nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> PersistenceCommands() { return kPersistenceCommands; }

}  // namespace pinyon
