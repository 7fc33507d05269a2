// A session that listens to channels: there while it subscribes to anything, so that everybody else pays a
// null pointer for it.
//
// Messages go past CLIENT REPLY straight to the connection, and wait for nothing in the log, but keep their
// order with the replies of the same connection. A message that a command of the session itself causes
// (PUBLISH, a keyspace notification) stands before that command's reply, as with Redis 7.0; but when the
// command has begun to reply the message waits for the end of the reply, since no client could tell it from
// an element of that.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shared_block.h"
#include "pubsub/pubsub.h"

namespace pinyon {

class Engine;
class ServerControl;
class Session;

class SessionSubscriber final : public Subscriber {
 public:
  SessionSubscriber(Session& session, ServerControl& server) : session_(session), server_(server) {}

  void Receive(Message& message) override;

  // Around the run of each of the session's commands; those within an EXEC, too.
  void BeginCommand();
  void EndCommand();

 private:
  Session& session_;
  ServerControl& server_;
  bool in_command_ = false;
  uint64_t reply_begin_ = 0;           // in the stream of all bytes written to the connection
  std::vector<BlockRef> after_reply_;  // messages that wait for the end of the command's reply
};

// The session's subscriber, which comes to be if it has none.
SessionSubscriber& SubscriberOf(Engine& engine, Session& session);

// Frees the subscriber of a session that subscribes to nothing any more.
void DropIdleSubscriber(Session& session);

// Ends all subscriptions of a session without telling it: RESET and disconnects.
void EndSubscriptions(Engine& engine, Session& session);

}  // namespace pinyon
