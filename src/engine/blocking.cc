#include "engine/blocking.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"

namespace pinyon {

using key_name::DatabaseOf;
using key_name::KeyOf;

namespace {

size_t TypeIndex(ValueType type) {
  const size_t index = static_cast<size_t>(type);
  PINYON_ASSERT(index < KeyQueue::kTypes);
  return index;
}

}  // namespace

SavedRequest::SavedRequest(Command& command, Args args) : command_(&command) {
  for (const std::string_view arg : args) text_bytes_ += arg.size();
  text_ = std::make_unique_for_overwrite<char[]>(text_bytes_);
  args_.reserve(args.size());
  char* end = text_.get();
  for (const std::string_view arg : args) {
    args_.emplace_back(end, arg.size());
    end = std::copy(arg.begin(), arg.end(), end);
  }
}

const std::string& BlockedClients::Name(int database, std::string_view key) {
  key_name::Assign(&name_, database, key);
  return name_;
}

void BlockedClients::Block(Session& session, Command& command, Args args, Args keys, ValueType awaited,
                           int64_t timeout_ms) {
  PINYON_ASSERT(session.suspension == nullptr && !keys.empty() && timeout_ms >= 0);
  session.suspension = std::make_unique<Suspension>(command, args);
  Suspension& suspension = *session.suspension;
  suspension.awaited = awaited;
  suspension.waiters.reserve(keys.size());
  for (const std::string_view key : keys) {
    const auto [it, added] = queues_.try_emplace(Name(session.database, key));
    KeyQueue& queue = it->second;
    if (added) queue.name = &it->first;
    // A key that the command names twice: the session has just come to its queue, as the last.
    if (queue.last != nullptr && queue.last->session == &session) continue;
    Enqueue(suspension.waiters.emplace_back(), queue);
    suspension.waiters.back().session = &session;
    ++queue.awaited[TypeIndex(awaited)];
  }
  ++client_count_;
  SetDeadline(session, timeout_ms);
}

void BlockedClients::AwaitLog(Session& session, Command& command, Args args, uint64_t offset,
                              int64_t timeout_ms) {
  PINYON_ASSERT(session.suspension == nullptr && timeout_ms >= 0);
  session.suspension = std::make_unique<Suspension>(command, args);
  session.suspension->kind = Suspension::Kind::kLog;
  session.suspension->awaited_offset = log_waiters_.emplace(offset, &session);
  ++client_count_;
  SetDeadline(session, timeout_ms);
}

void BlockedClients::StandInLine(Session& session, Command& command, Args args,
                                 std::span<const LineTicket> tickets, int64_t timeout_ms) {
  PINYON_ASSERT(session.suspension == nullptr && timeout_ms >= 0);
  session.suspension = std::make_unique<Suspension>(command, args);
  session.suspension->kind = Suspension::Kind::kLine;
  lines_.Enter(session, tickets);
  ++client_count_;
  SetDeadline(session, timeout_ms);
}

std::vector<Session*> BlockedClients::AllForLog() const {
  std::vector<Session*> sessions;
  for (const auto& [offset, session] : log_waiters_) sessions.push_back(session);
  return sessions;
}

void BlockedClients::SetDeadline(Session& session, int64_t timeout_ms) {
  const int64_t now_us = MonotonicUs();
  if (timeout_ms == 0 || timeout_ms > (kNever - now_us) / 1000) return;
  session.suspension->deadline = deadlines_.emplace(now_us + timeout_ms * 1000, &session);
  session.suspension->has_deadline = true;
}

void BlockedClients::Release(Session& session) {
  if (session.suspension == nullptr) return;
  Suspension& suspension = *session.suspension;
  for (KeyWaiter& waiter : suspension.waiters) {
    KeyQueue& queue = *waiter.queue;
    PINYON_ASSERT(queue.awaited[TypeIndex(suspension.awaited)] > 0);
    --queue.awaited[TypeIndex(suspension.awaited)];
    Dequeue(waiter);
    EraseIfUnused(queue);
  }
  if (suspension.has_deadline) deadlines_.erase(suspension.deadline);
  if (suspension.kind == Suspension::Kind::kLog) log_waiters_.erase(suspension.awaited_offset);
  if (suspension.kind == Suspension::Kind::kPostponed) postponed_.erase(suspension.place);
  if (suspension.kind == Suspension::Kind::kLine) lines_.Leave(session);
  session.suspension.reset();
  PINYON_ASSERT(client_count_ > 0);
  --client_count_;
}

void BlockedClients::Postpone(Session& session, Command& command, Args args) {
  PINYON_ASSERT(session.suspension == nullptr);
  session.suspension = std::make_unique<Suspension>(command, args);
  session.suspension->kind = Suspension::Kind::kPostponed;
  session.suspension->place = postponed_.insert(postponed_.end(), &session);
  ++client_count_;
}

Session* BlockedClients::TakePostponed(std::unique_ptr<Suspension>* suspension) {
  if (postponed_.empty()) return nullptr;
  Session* session = postponed_.front();
  postponed_.pop_front();
  *suspension = std::move(session->suspension);
  --client_count_;
  return session;
}

void BlockedClients::Enqueue(KeyWaiter& waiter, KeyQueue& queue) {
  waiter = {.session = nullptr, .queue = &queue, .previous = queue.last, .next = nullptr};
  (queue.last == nullptr ? queue.first : queue.last->next) = &waiter;
  queue.last = &waiter;
}

void BlockedClients::Dequeue(KeyWaiter& waiter) {
  KeyQueue& queue = *waiter.queue;
  if (cursor_ == &waiter) cursor_ = waiter.next;
  (waiter.previous == nullptr ? queue.first : waiter.previous->next) = waiter.next;
  (waiter.next == nullptr ? queue.last : waiter.next->previous) = waiter.previous;
}

void BlockedClients::EraseIfUnused(KeyQueue& queue) {
  if (queue.first != nullptr || queue.is_ready || &queue == current_) return;
  queues_.erase(queues_.find(*queue.name));
}

void BlockedClients::MarkIfReady(int database, std::string_view key) {
  const auto it = queues_.find(Name(database, key));
  if (it != queues_.end()) MarkIfReady(it->second);
}

void BlockedClients::MarkIfReady(KeyQueue& queue) {
  ValueType type;
  if (queue.is_ready || !FindType(queue, &type) || queue.awaited[TypeIndex(type)] == 0) return;
  queue.is_ready = true;
  ready_.push_back(&queue);
}

// The order among keys that become ready at once is that of their databases, then of their names.
void BlockedClients::AfterSwap(int first, int second) {
  AfterFlush(first);
  AfterFlush(second);
  if (queues_.empty()) return;
  std::vector<KeyQueue*> affected;
  for (auto& [name, queue] : queues_) {
    const int database = DatabaseOf(name);
    if (database == first || database == second) affected.push_back(&queue);
  }
  std::sort(affected.begin(), affected.end(), [](const KeyQueue* a, const KeyQueue* b) {
    const int first_database = DatabaseOf(*a->name), second_database = DatabaseOf(*b->name);
    return first_database != second_database ? first_database < second_database
                                             : KeyOf(*a->name) < KeyOf(*b->name);
  });
  for (KeyQueue* queue : affected) MarkIfReady(*queue);
}

bool BlockedClients::FindType(const KeyQueue& queue, ValueType* type) const {
  const EntryRef ref = keyspace_.database(DatabaseOf(*queue.name)).Peek(KeyOf(*queue.name));
  if (!ref) return false;
  *type = ref->type();
  return true;
}

Session* BlockedClients::NextToServe() {
  while (HasReadyKey()) {
    if (current_ == nullptr) {
      current_ = ready_.front();
      ready_.pop_front();
      current_->is_ready = false;
      cursor_ = current_->first;
    }
    ValueType type;
    const bool has_value = cursor_ != nullptr && FindType(*current_, &type);
    while (has_value && cursor_ != nullptr) {
      Session* session = cursor_->session;
      cursor_ = cursor_->next;
      if (session->suspension->awaited != type || session->closing) continue;
      session->suspension->ready_key = KeyOf(*current_->name);
      return session;
    }
    KeyQueue* served = current_;
    current_ = nullptr;
    cursor_ = nullptr;
    EraseIfUnused(*served);
  }
  return nullptr;
}

Session* BlockedClients::FirstOverdue(int64_t now_us) const {
  return next_deadline_us() <= now_us && !deadlines_.empty() ? deadlines_.begin()->second : nullptr;
}

}  // namespace pinyon
