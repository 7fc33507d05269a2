#include "engine/session_subscriber.h"

#include "engine/engine.h"
#include "engine/server_control.h"
#include "engine/session.h"

namespace pinyon {

void SessionSubscriber::Receive(Message& message) {
  if (session_.closing || !server_.BeginPush(session_)) return;
  ReplySink& sink = *session_.normal_sink;
  const bool resp3 = session_.reply.resp3();
  if (!in_command_ || sink.WrittenBytes() == reply_begin_) {
    message.WriteTo(sink, resp3);
    // The next one stands before the reply, too.
    reply_begin_ = sink.WrittenBytes();
    return;
  }
  SharedBlock* block = message.Encoded(resp3);
  block->Ref();
  after_reply_.emplace_back(block);
}

void SessionSubscriber::BeginCommand() {
  in_command_ = true;
  reply_begin_ = session_.normal_sink->WrittenBytes();
}

void SessionSubscriber::EndCommand() {
  in_command_ = false;
  for (const BlockRef& block : after_reply_) session_.normal_sink->AppendShared(block.get());
  after_reply_.clear();
}

SessionSubscriber& SubscriberOf(Engine& engine, Session& session) {
  if (session.subscriber == nullptr)
    session.subscriber = std::make_unique<SessionSubscriber>(session, engine.server);
  return *session.subscriber;
}

void DropIdleSubscriber(Session& session) {
  if (session.subscriber == nullptr || session.subscriber->total() > 0) return;
  session.subscriber->EndCommand();
  session.subscriber.reset();
}

void EndSubscriptions(Engine& engine, Session& session) {
  if (session.subscriber == nullptr) return;
  engine.pubsub.UnsubscribeAll(*session.subscriber);
  DropIdleSubscriber(session);
}

}  // namespace pinyon
