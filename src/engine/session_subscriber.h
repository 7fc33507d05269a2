// A session that listens to channels: there while it subscribes to anything. How messages get into its
// connection is said in session_pushes.h.
#pragma once

#include "pubsub/pubsub.h"

namespace pinyon {

class Engine;
class Session;

class SessionSubscriber final : public Subscriber {
 public:
  // The session must have its pushes (PushesOf).
  explicit SessionSubscriber(Session& session) : session_(session) {}

  void Receive(Message& message) override;

 private:
  Session& session_;
};

// The session's subscriber, which comes to be if it has none.
SessionSubscriber& SubscriberOf(Engine& engine, Session& session);

// Frees the subscriber of a session that subscribes to nothing any more.
void DropIdleSubscriber(Session& session);

// Ends all subscriptions of a session without telling it: RESET and disconnects.
void EndSubscriptions(Engine& engine, Session& session);

}  // namespace pinyon
