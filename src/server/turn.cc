#include "server/turn.h"

#include <algorithm>
#include <array>

#include "base/clock.h"

namespace pinyon {

namespace {

// How many requests are parsed ahead before the first of them runs: enough to hide the memory's latency, few
// enough that what was fetched is still in the first-level cache.
constexpr size_t kBatchRequests = 32;
constexpr size_t kClientShare = 32;
// How many requests ask memory together: enough that their waits for it overlap.
constexpr size_t kFetchGroup = 4;
// How long a turn goes on executing. Reading and writing for dozens of clients takes about as long again.
constexpr int64_t kTurnUs = 300;
// How many suspended clients go on in one turn because their time is over, or because a pause is.
constexpr size_t kTimeoutsPerTurn = 32;
constexpr size_t kPostponedPerTurn = 32;
constexpr size_t kLinesPerTurn = 32;
constexpr size_t kSyncedPerTurn = 128;
// Argument views kept for the next batch; beyond, the memory is given back.
constexpr size_t kMaxKeptArgs = 16 * 1024;

}  // namespace

Turn::Turn(Engine& engine, Dispatcher& dispatcher, ClientMemory& client_memory, const int64_t& max_pause_us)
    : engine_(engine), dispatcher_(dispatcher), client_memory_(client_memory), pause_(max_pause_us) {
  batch_.reserve(kBatchRequests + kClientShare);
}

void Turn::AddReady(Client& client) {
  stats_.meter.Begin();
  if (client.in_ready_list) return;
  client.in_ready_list = true;
  ready_.push_back(&client);
}

void Turn::AddFlush(Client& client) {
  if (client.in_flush_list) return;
  client.in_flush_list = true;
  flush_.push_back(&client);
}

void Turn::Resume(Client& client) {
  PINYON_ASSERT(client.session.suspension == nullptr);
  const bool gated = engine_.effects.Listening();
  if (gated) client.output.Hold(engine_.effects.offset());
  if (!gated && client.input.empty()) {
    // Written at once: of a thousand that are served together each would hold a buffer until the commit.
    client.Flush(~uint64_t{0});
    return;
  }
  AddFlush(client);
  AddReady(client);
}

void Turn::Remove(Client& client) {
  if (client.in_ready_list) std::erase(ready_, &client);
  if (client.in_flush_list) std::erase(flush_, &client);
  if (client.in_gated_list) std::erase(gated_, &client);
}

void Turn::ReleaseGated() {
  for (Client* client : gated_) {
    client->in_gated_list = false;
    AddFlush(*client);
  }
  gated_.clear();
}

bool Turn::Run() {
  stats_.meter.Begin();
  engine_.memory_limit.BeginTurn();
  client_memory_.ReadLimitAndMakeRoom();
  const bool suspended_left = engine_.blocked.client_count() > 0 && ResumeSuspended();
  Execute();
  const bool drops_left = client_memory_.ReadLimitAndMakeRoom();  // CONFIG SET may have changed it
  const bool background_left = background_ && background_();
  engine_.effects.Commit();
  if (engine_.tracking.HasBroadcasts()) engine_.tracking.DeliverBroadcasts();
  Commit();
  ++stats_.turns;
  stats_.meter.End();
  if (engine_.pause.pending()) dispatcher_.UpdatePause();
  return suspended_left || drops_left || background_left || HasPostponedToRun() || !ready_.empty() ||
         !flush_.empty();
}

bool Turn::HasPostponedToRun() const {
  return engine_.blocked.postponed_count() > 0 && engine_.pause.mode() == ClientPause::Mode::kNone;
}

// Returns whether more clients could go on at once.
bool Turn::ResumeSuspended() {
  // Those in line first: at the last moment of its time a client may still be served.
  const bool lines_left = !engine_.blocked.lines().empty() && ServeLines();
  const bool timeouts_left =
      engine_.blocked.deadline_count() > 0 && dispatcher_.TimeOutBlocked(MonotonicUs(), kTimeoutsPerTurn);
  const bool synced_left = engine_.blocked.AwaitsLog() && dispatcher_.ServeLogWaiters(kSyncedPerTurn);
  const bool postponed_left = HasPostponedToRun() && dispatcher_.RunPostponed(kPostponedPerTurn);
  dispatcher_.EndTiming();
  // Behind somebody who has left, the next in line.
  const bool next_in_line = dispatcher_.NextLineUs() == WaitingLines::kAtOnce;
  return lines_left || timeouts_left || synced_left || postponed_left || next_in_line;
}

bool Turn::ServeLines() {
  const int64_t now_us = MonotonicUs();
  return dispatcher_.NextLineUs() <= now_us && dispatcher_.ServeLines(now_us, kLinesPerTurn);
}

void Turn::Execute() {
  if (ready_.empty()) return;
  dispatcher_.UpdateTime();
  const int64_t now_us = MonotonicUs();
  const int64_t end_us = now_us + kTurnUs;
  pause_.NoteTurn(now_us, ready_.size());
  for (Client* client : ready_) pause_.NoteClient(now_us, &client->ready_us);
  while (true) {
    GatherBatch();
    if (batch_.size() > 1) {
      FetchGroups();
      FetchEntries();
      FetchElements();
    }
    RunBatch();
    dispatcher_.EndTiming();
    EndBatch();
    if (ready_.empty() || MonotonicUs() >= end_us) return;
  }
}

void Turn::GatherBatch() {
  if (engine_.pause.pending()) dispatcher_.UpdatePause();
  // Clients that come back into the list wait for the next batch.
  for (size_t waiting = ready_.size();
       waiting > 0 && batch_.size() < kBatchRequests && visits_.size() < kBatchRequests; --waiting) {
    Client& client = *ready_.front();
    ready_.pop_front();
    client.in_ready_list = false;
    if (client.session.closing) continue;
    if (client.session.suspension != nullptr) {
      client.OnDrained();
      continue;
    }
    const bool has_more = Gather(client);
    visits_.push_back({&client, has_more});
  }
}

// Pipelines mostly repeat one command: its name, spelt alike, is not looked up again within a batch.
Command* Turn::Resolve(Args args) {
  if (last_command_ != nullptr && args[0] == last_name_) return last_command_;
  Command* command = engine_.commands.Resolve(args);
  const bool stands_alone = command != nullptr && command->parent == nullptr && command->subcommands.empty();
  last_command_ = stands_alone ? command : nullptr;
  last_name_ = args[0];
  return command;
}

// Parses a client's share; returns whether there may be more to parse at once.
bool Turn::Gather(Client& client) {
  const RequestParser::Limits limits{
      .max_bulk_bytes = engine_.options.proto_max_bulk_len,
      .authenticated = client.session.authenticated || !engine_.acl.AuthRequired()};
  const Table& table = engine_.keyspace.database(client.session.database).table();
  const std::string_view input = client.input.bytes();
  size_t offset = 0;
  // In a pause any request may suspend its client.
  const size_t share = engine_.pause.mode() == ClientPause::Mode::kNone ? kClientShare : 1;
  for (size_t count = 0; count < share; ++count) {
    const size_t first_arg = args_.size();
    size_t bytes = 0;
    const auto status = client.parser.Parse(input.substr(offset), limits, &bytes, &args_);
    if (status == RequestParser::Status::kNeedMore) return false;
    if (status == RequestParser::Status::kNeedBlock) {
      client.input.DropFromEnd(bytes);
      return false;
    }
    Request request{.client = &client,
                    .command = nullptr,
                    .first_arg = static_cast<uint32_t>(first_arg),
                    .argc = static_cast<uint32_t>(args_.size() - first_arg),
                    .key_hash = 0,
                    .bytes = bytes,
                    .is_error = status == RequestParser::Status::kError};
    offset += bytes;
    if (request.argc > 0) {
      const Args args(args_.data() + first_arg, request.argc);
      request.command = Resolve(args);
      if (request.command != nullptr) {
        const int first_key = request.command->first_key;
        if (first_key > 0 && first_key < static_cast<int>(request.argc)) {
          request.key_hash = table.Hash(args[static_cast<size_t>(first_key)]);
        }
      }
    }
    batch_.push_back(request);
    if (batch_.size() - fetched_buckets_ == kFetchGroup) FetchGroups();
    if (request.is_error) return false;
    const bool ends_batch =
        request.command != nullptr && (request.command->flags & (kEndsBatch | kBlocking)) != 0;
    if (ends_batch || client.parser.HoldsArguments()) return true;
  }
  return true;
}

// The entries of the last group, whose buckets should be there by now, and the buckets of the next one.
void Turn::FetchGroups() {
  FetchEntries();
  FetchBuckets();
}

// Whether the batch's i-th request has a key, and most likely another one than the request before it: that is
// fetched.
bool Turn::HasKeyToFetch(size_t i) const {
  return batch_[i].key_hash != 0 && (i == 0 || batch_[i - 1].key_hash != batch_[i].key_hash);
}

void Turn::FetchBuckets() {
  for (size_t& i = fetched_buckets_; i < batch_.size(); ++i) {
    if (!HasKeyToFetch(i)) continue;
    const Request& request = batch_[i];
    engine_.keyspace.database(request.client->session.database).table().PrefetchBucket(request.key_hash);
  }
}

void Turn::FetchEntries() {
  std::array<Table::Likely, kFetchGroup> likely;
  size_t count = 0;
  PINYON_ASSERT(fetched_buckets_ - fetched_entries_ <= kFetchGroup);
  for (size_t& i = fetched_entries_; i < fetched_buckets_; ++i) {
    if (!HasKeyToFetch(i)) continue;
    const Request& request = batch_[i];
    const bool to_write = (request.command->flags & kWrite) != 0;
    const Table& table = engine_.keyspace.database(request.client->session.database).table();
    likely[count++] = table.FindLikely(request.key_hash, to_write);
  }
  for (size_t i = 0; i < count; ++i) Table::PrefetchLikely(likely[i]);
}

// When the entries are there: what the requests will look for in large collections.
void Turn::FetchElements() {
  for (const Request& request : batch_) {
    if (request.key_hash == 0) continue;
    const auto element = static_cast<uint32_t>(request.command->spec->element);
    if (element == 0 || element >= request.argc) continue;
    const std::string_view* args = args_.data() + request.first_arg;
    const auto score = static_cast<uint32_t>(request.command->spec->element_score);
    elements_.Add(engine_.keyspace.database(request.client->session.database),
                  args[request.command->first_key], request.key_hash, args[element],
                  score > 0 ? args[score] : std::string_view());
  }
  elements_.Finish();
}

void Turn::RunBatch() {
  dispatcher_.EndTiming();  // what was done since the last batch belongs to no command
  for (const Request& request : batch_) {
    if (client_memory_.IsOver()) [[unlikely]]
      client_memory_.MakeRoom();
    if (!request.client->session.closing) RunRequest(request);
  }
}

void Turn::RunRequest(const Request& request) {
  Client& client = *request.client;
  if (request.is_error) {
    dispatcher_.Refuse(client.session, client.parser.error());
    client.session.closing = true;
    return;
  }
  if (request.argc > 0) {
    if (client.parser.HoldsArguments()) client.session.large_args = &client.parser.large_args();
    dispatcher_.Dispatch(client.session, request.command,
                         Args(args_.data() + request.first_arg, request.argc), request.key_hash);
    client.session.large_args = nullptr;
    if (client.parser.HoldsArguments()) client.parser.ReleaseLargeArgs();
  } else {
    dispatcher_.PassOver(client.session);
  }
  client.input.Consume(request.bytes);
  // What else a batch makes a client hold is seen at its end.
  if (client.output.size_bytes() > ChunkPool::kChunkBytes) client.NoteMemory();
}

void Turn::EndBatch() {
  const bool gated = engine_.effects.Listening();
  for (const Visit& visit : visits_) {
    Client& client = *visit.client;
    if (gated) client.output.Hold(engine_.effects.offset());
    if (!client.output.empty()) AddFlush(client);
    if (client.session.closing) {
      client.Close(false);
      continue;
    }
    if (visit.has_more && client.session.suspension == nullptr) {
      AddReady(client);
    } else {
      // While nothing has to reach a log first there is no reason to wait for the commit: the buffers that
      // were just used are written and used again while they are in the cache.
      if (!gated) client.Flush(~uint64_t{0});
      client.OnDrained();
    }
  }
  visits_.clear();
  last_command_ = nullptr;
  fetched_buckets_ = fetched_entries_ = 0;
  batch_.clear();
  args_.clear();
  if (args_.capacity() > kMaxKeptArgs) args_.shrink_to_fit();
}

void Turn::Commit() {
  if (flush_.empty()) return;
  // Clients that are added while this goes on, and those for whom there is no time, are for the next turn.
  constexpr size_t kFlushesPerCheck = 16;
  const int64_t end_us = MonotonicUs() + kTurnUs;
  for (size_t waiting = flush_.size(), done = 0; waiting > 0; --waiting) {
    Client& client = *flush_.front();
    flush_.pop_front();
    client.in_flush_list = false;
    client.Flush(engine_.effects.reply_offset());
    if (client.WaitsForLog() && !client.in_gated_list) {
      client.in_gated_list = true;
      gated_.push_back(&client);
    }
    if (++done % kFlushesPerCheck == 0 && MonotonicUs() >= end_us) return;
  }
}

}  // namespace pinyon
