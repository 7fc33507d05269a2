#include "engine/session_pushes.h"

#include "engine/server_control.h"
#include "engine/session.h"

namespace pinyon {

namespace {

void Keep(std::vector<BlockRef>& blocks, SharedBlock* block) {
  block->Ref();
  blocks.emplace_back(block);
}

}  // namespace

bool SessionPushes::InUnit() const { return in_command_ || session_.transaction.executing(); }

bool SessionPushes::MayWrite() { return !session_.closing && server_.BeginPush(session_); }

void SessionPushes::Push(SharedBlock* block) {
  if (!MayWrite()) return;
  ReplySink& sink = *session_.normal_sink;
  if (in_command_ && sink.WrittenBytes() != reply_begin_) return Keep(after_reply_, block);
  sink.AppendShared(block);
  // The next one stands before the reply, too.
  reply_begin_ = sink.WrittenBytes();
}

void SessionPushes::PushOutside(SharedBlock* block) {
  session_.transaction.executing() ? PushBehindUnit(block) : Push(block);
}

void SessionPushes::PushBehindUnit(SharedBlock* block) {
  if (!MayWrite()) return;
  InUnit() ? Keep(after_unit_, block) : session_.normal_sink->AppendShared(block);
}

void SessionPushes::BeginCommand() {
  in_command_ = true;
  reply_begin_ = session_.normal_sink->WrittenBytes();
}

void SessionPushes::EndCommand() {
  in_command_ = false;
  if (!after_reply_.empty()) WriteAll(after_reply_);
  if (!after_unit_.empty() && !session_.transaction.executing()) WriteAll(after_unit_);
}

void SessionPushes::WriteAll(std::vector<BlockRef>& blocks) {
  for (const BlockRef& block : blocks) {
    if (MayWrite()) session_.normal_sink->AppendShared(block.get());
  }
  std::vector<BlockRef>().swap(blocks);
}

size_t SessionPushes::MemoryBytes() const {
  return sizeof(*this) + (after_reply_.capacity() + after_unit_.capacity()) * sizeof(BlockRef);
}

SessionPushes& PushesOf(ServerControl& server, Session& session) {
  if (session.pushes == nullptr) session.pushes = std::make_unique<SessionPushes>(session, server);
  return *session.pushes;
}

}  // namespace pinyon
