#include "engine/session_subscriber.h"

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/session_pushes.h"

namespace pinyon {

void SessionSubscriber::Receive(Message& message) {
  if (!session_.closing) session_.pushes->Push(message.Encoded(session_.reply.resp3()));
}

SessionSubscriber& SubscriberOf(Engine& engine, Session& session) {
  if (session.subscriber == nullptr) {
    PushesOf(engine.server, session);
    session.subscriber = std::make_unique<SessionSubscriber>(session);
  }
  return *session.subscriber;
}

void DropIdleSubscriber(Session& session) {
  if (session.subscriber != nullptr && session.subscriber->total() == 0) session.subscriber.reset();
}

void EndSubscriptions(Engine& engine, Session& session) {
  if (session.subscriber == nullptr) return;
  engine.pubsub.UnsubscribeAll(*session.subscriber);
  DropIdleSubscriber(session);
}

}  // namespace pinyon
