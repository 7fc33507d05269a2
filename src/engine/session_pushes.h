// What a session is told beside its replies: published messages and invalidations of keys that it may have
// cached. It comes to be when the session first listens to anything, tracks keys, or is to be given what
// another session tracks, and stays as long as the session; everybody else pays a null pointer for it.
//
// Pushes go past CLIENT REPLY straight to the connection, and wait for nothing in the log, but keep their
// order with the replies of the same connection. What a command of the session itself causes stands
// - for Push: before that command's reply, as with Redis 7.0; but when the command has begun to reply, behind
//   the reply, since no client could tell it from an element of that;
// - for PushBehindUnit: behind the reply, that of EXEC for what happens within.
// PushOutside is Push, but within an EXEC it is PushBehindUnit, for the same reason.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shared_block.h"

namespace pinyon {

class ServerControl;
class Session;

class SessionPushes {
 public:
  SessionPushes(Session& session, ServerControl& server) : session_(session), server_(server) {}
  SessionPushes(const SessionPushes&) = delete;
  SessionPushes& operator=(const SessionPushes&) = delete;

  // The bytes of one push; the caller keeps its reference. Dropped when the session is about to be closed.
  void Push(SharedBlock* block);
  void PushOutside(SharedBlock* block);
  void PushBehindUnit(SharedBlock* block);
  // Whether a command, or an EXEC, of the session is under way.
  bool InUnit() const;

  // Around the run of each of the session's commands; those within an EXEC, too.
  void BeginCommand();
  void EndCommand();

  size_t MemoryBytes() const;

 private:
  bool MayWrite();
  void WriteAll(std::vector<BlockRef>& blocks);

  Session& session_;
  ServerControl& server_;
  bool in_command_ = false;
  uint64_t reply_begin_ = 0;           // in the stream of all bytes written to the connection
  std::vector<BlockRef> after_reply_;  // pushes that wait for the end of the command's reply
  std::vector<BlockRef> after_unit_;   // and for that of the unit
};

// The session's pushes, which come to be if it has none.
SessionPushes& PushesOf(ServerControl& server, Session& session);

}  // namespace pinyon
