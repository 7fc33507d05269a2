#include "engine/tracking.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "engine/session_pushes.h"
#include "engine/session_tracking.h"

namespace pinyon {

namespace {

// A slice of eviction ends behind so many keys, or readers told.
constexpr size_t kKeysPerSlice = 64;
constexpr size_t kReadersPerSlice = 256;
// Of those beyond the limit, so many go for each key that comes.
constexpr int kEvictionsPerKey = 2;
// Tables of more keys are freed on the freeing thread.
constexpr size_t kMaxFreedHere = 256;

}  // namespace

Tracking::Tracking(Keyspace& keyspace, const SessionRegistry& sessions, ServerControl& server,
                   const TrackingOptions& options)
    : keyspace_(keyspace),
      sessions_(sessions),
      server_(server),
      options_(options),
      keys_(std::make_unique<TrackedKeyTable>(keyspace.seed())) {}

Tracking::~Tracking() = default;

void Tracking::TurnOn(Session& session, const SessionTracking& mode) {
  PushesOf(server_, session);
  if (Session* target = mode.redirect == 0 ? nullptr : sessions_.Find(mode.redirect))
    PushesOf(server_, *target);
  const bool is_new = session.tracking == nullptr;
  if (is_new) {
    session.tracking = std::make_unique<SessionTracking>();
    clients_.emplace(session.id, &session);
  }
  SessionTracking& tracking = *session.tracking;
  PINYON_ASSERT(is_new || tracking.broadcast == mode.broadcast);
  PINYON_ASSERT(mode.prefixes.empty() || mode.broadcast);
  std::set<std::string> prefixes = std::move(tracking.prefixes);
  const bool caching = tracking.caching;
  tracking = mode;
  tracking.caching = caching;
  for (const std::string& prefix : mode.prefixes) broadcasts_.Add(prefix, session);
  tracking.prefixes.merge(prefixes);
}

void Tracking::TurnOff(Session& session) {
  if (session.tracking == nullptr) return;
  for (const std::string& prefix : session.tracking->prefixes) broadcasts_.Remove(prefix, session);
  session.tracking.reset();
  clients_.erase(session.id);
  if (clients_.empty()) ForgetKeys();
}

// --- reading ---

bool Tracking::Remembers(const SessionTracking& mode, const Command& command) const {
  if (mode.broadcast || (command.flags & kReadOnly) == 0) return false;
  if (mode.opt_in) return mode.caching;
  return !mode.opt_out || !mode.caching;
}

void Tracking::AfterCommand(Session& session, const Command& command, Args args) {
  SessionTracking& mode = *session.tracking;
  if (Remembers(mode, command) && FindKeys(command, args, &found_keys_)) {
    for (const KeyPosition& key : found_keys_) Remember(session, args[static_cast<size_t>(key.index)]);
  }
  // CLIENT CACHING holds for one command that is no CLIENT itself; for all of a transaction.
  const bool is_client =
      command.parent != nullptr && std::string_view(command.parent->spec->name) == "client";
  if (mode.caching && !is_client) AfterRefusal(session);
}

void Tracking::AfterRefusal(Session& session) {
  if (!session.transaction.active()) session.tracking->caching = false;
}

Session* Tracking::ReaderOf(uint64_t id) const {
  const auto it = clients_.find(id);
  return it == clients_.end() || it->second->tracking->broadcast ? nullptr : it->second;
}

void Tracking::Grow(TrackedKeyTable::Position* position, uint64_t hash) {
  TrackedKey* old = position->entry();
  items_ -= old->Filter([this](uint64_t id) { return ReaderOf(id) != nullptr; });
  const auto count = static_cast<uint32_t>(old->ids().size());
  TrackedKey* grown = old->CopyWithRoom(std::max<uint32_t>(2 * count, 1));
  *position = keys_->Replace(*position, grown, hash);
  TrackedKey::Delete(old);
}

void Tracking::Remember(Session& session, std::string_view key) {
  const uint64_t hash = keys_->Hash(key);
  TrackedKeyTable::Position position = keys_->Find(key, hash);
  if (!position) {
    const auto limit = static_cast<size_t>(options_.max_keys);
    for (int i = 0; i < kEvictionsPerKey && limit > 0 && keys_->size() >= limit; ++i) EvictOne();
    TrackedKey* tracked = TrackedKey::New(key, 1);
    tracked->Add(session.id);
    keys_->Insert(tracked, hash);
    ++items_;
    return;
  }
  if (position->Contains(session.id)) return;
  if (position->IsFull()) Grow(&position, hash);
  position->Add(session.id);
  ++items_;
}

// --- changing ---

void Tracking::Invalidate(const Session* by, std::string_view key) {
  if (broadcasts_.prefix_count() > 0) broadcasts_.NoteChange(key, by == nullptr ? 0 : by->id);
  if (keys_->size() == 0) return;
  const TrackedKeyTable::Position position = keys_->Find(key, keys_->Hash(key));
  if (position) Drop(position, by);
}

size_t Tracking::Drop(TrackedKeyTable::Position position, const Session* by) {
  TrackedKey* tracked = keys_->Remove(position);
  keys_->Tidy();
  const size_t readers = tracked->ids().size();
  PINYON_ASSERT(items_ >= readers);
  items_ -= readers;
  const std::array<std::string_view, 1> keys = {tracked->key()};
  Invalidation message(keys);
  for (const uint64_t id : tracked->ids()) {
    Session* session = ReaderOf(id);
    if (session == nullptr || (session == by && session->tracking->no_loop)) continue;
    Send(*session, message);
  }
  TrackedKey::Delete(tracked);
  return readers;
}

void Tracking::KeysFlushed() {
  if (clients_.empty()) return;
  Invalidation message;
  for (const auto& [id, session] : clients_) Send(*session, message);
  ForgetKeys();
}

void Tracking::DeliverBroadcasts() {
  broadcasts_.Deliver([this](Session& listener, Invalidation& message) { Send(listener, message); });
}

// A client that speaks RESP2 can only be told through another one that listens to channels.
void Tracking::Send(Session& session, Invalidation& message) {
  const uint64_t redirect = session.tracking->redirect;
  Session* target = redirect == 0 ? &session : sessions_.Find(redirect);
  if (target == nullptr) return SendBrokenRedirect(session);
  const bool resp3 = target->reply.resp3();
  if (!resp3 && (redirect == 0 || target->subscriber == nullptr)) return;
  SharedBlock* block = message.Encoded(resp3);
  if (target == &session) {
    target->pushes->PushBehindUnit(block);
  } else {
    target->pushes->PushOutside(block);
  }
}

void Tracking::SendBrokenRedirect(Session& session) {
  session.tracking->redirect_broken = true;
  if (!session.reply.resp3()) return;
  const BlockRef block = EncodeBrokenRedirect(session.tracking->redirect);
  session.pushes->PushBehindUnit(block.get());
}

int64_t RedirectOf(const Session& session) {
  return session.tracking == nullptr ? -1 : static_cast<int64_t>(session.tracking->redirect);
}

// --- forgetting ---

size_t Tracking::EvictOne() { return Drop(keys_->RandomPosition(keyspace_.random()), nullptr); }

void Tracking::EvictSlice() {
  size_t readers = 0;
  for (size_t i = 0; i < kKeysPerSlice && readers < kReadersPerSlice && IsOverLimit(); ++i)
    readers += EvictOne();
}

void Tracking::ForgetKeys() {
  if (keys_->size() == 0) return;
  const size_t keys = keys_->size();
  const size_t bytes = MemoryBytes();
  std::shared_ptr<TrackedKeyTable> forgotten = std::move(keys_);
  keys_ = std::make_unique<TrackedKeyTable>(keyspace_.seed());
  items_ = 0;
  if (keys > kMaxFreedHere) keyspace_.lazy_free().Free(std::move(forgotten), keys, bytes);
}

}  // namespace pinyon
