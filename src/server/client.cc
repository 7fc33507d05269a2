#include "server/client.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "engine/blocking.h"
#include "engine/session_pushes.h"
#include "engine/session_subscriber.h"
#include "engine/session_tracking.h"

namespace pinyon {

namespace {

// A client's share of a turn's reading: beyond it, it waits until what came has been executed.
constexpr size_t kReadShareBytes = 256 * 1024;
constexpr size_t kMaxPieces = 64;

size_t TotalBytes(std::span<const iovec> pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), size_t{0},
                         [](size_t sum, const iovec& piece) { return sum + piece.iov_len; });
}

}  // namespace

Client::Client(ClientHost& host, ChunkPool& pool, std::unique_ptr<Connection> connection, uint64_t id)
    : session(id, &output),
      input(pool),
      output(pool),
      host_(host),
      connection_(std::move(connection)),
      in_flight_(pool) {
  session.connection = connection_.get();
  connection_->SetHandler(this);
}

void Client::StartReading() { connection_->StartReading(); }

std::span<char> Client::ReadSpace() {
  if (parser.NeedsBlock()) return {parser.BlockSpace(), std::min(parser.BlockMissing(), kReadShareBytes)};
  return input.Space();
}

void Client::OnRead(size_t count, bool filled) {
  host_.Traffic().input_bytes += count;
  ++host_.Traffic().reads;
  session.last_active_ms = host_.NowMs();
  read_this_turn_ += count;
  if (parser.NeedsBlock()) {
    parser.BlockFilled(count);
  } else {
    input.Filled(count);
  }
  if (static_cast<int64_t>(input.bytes().size() + parser.MemoryBytes()) > host_.QueryBufferLimit()) {
    host_.OnQueryBufferLimit(*this);
    return Close(true);
  }
  if (filled || read_this_turn_ >= kReadShareBytes) connection_->PauseReading();
  NoteMemory();
  host_.OnClientReady(*this);
}

void Client::OnHangUp(int) {
  connection_->PauseReading();
  if (left_) return;
  hung_up_ = true;
  host_.OnClientHungUp(*this);
}

void Client::OnDrained() {
  read_this_turn_ = 0;
  input.ReleaseIfEmpty();
  NoteMemory();
  if (hung_up_) {
    // Whoever only shut down its sending side still gets what it is owed: what can be sent at once, and what
    // has to wait for the log.
    Flush(host_.ReplyOffset());
    const bool waits_for_log = !connection_->is_writing() && OutputBytes() > 0;
    return Close(!waits_for_log);
  }
  if (!session.closing) connection_->StartReading();
}

void Client::Flush(uint64_t reached) {
  reply_peak_ = std::max(reply_peak_, std::min(OutputBytes(), ChunkPool::kChunkBytes));
  Write(reached);
  NoteMemory();
}

void Client::Write(uint64_t reached) {
  if (connection_->is_closing()) return;
  if (abandoned_) return CloseNow();
  if (host_.IsOverOutputLimit(*this)) {
    host_.OnOutputLimit(*this);
    return CloseNow();
  }
  if (connection_->is_writing()) return;
  std::array<iovec, kMaxPieces> pieces;
  while (true) {
    OutputBuffer& front = in_flight_.empty() ? output : in_flight_;
    const size_t sendable = front.Sendable(reached);
    if (sendable == 0) break;
    const size_t count = front.Front(pieces.data(), pieces.size(), sendable);
    const size_t total = TotalBytes({pieces.data(), count});
    const ssize_t written = connection_->TryWrite(pieces.data(), count);
    if (written < 0) return CloseNow();
    host_.Traffic().output_bytes += static_cast<uint64_t>(written);
    ++host_.Traffic().writes;
    front.Consume(static_cast<size_t>(written));
    if (static_cast<size_t>(written) == total) continue;

    // The kernel takes no more now: libuv writes the rest when it can.
    if (in_flight_.empty()) output.MoveTo(in_flight_);
    const size_t rest = in_flight_.Front(pieces.data(), pieces.size(), in_flight_.Sendable(reached));
    writing_bytes_ = TotalBytes({pieces.data(), rest});
    return connection_->WriteRest(pieces.data(), rest);
  }
  if (!in_flight_.empty() || !output.empty()) return;
  soft_limit_since_ms = 0;
  if (session.closing) CloseNow();
}

void Client::OnRestWritten(int error) {
  if (connection_->is_closing()) return;
  if (error != 0) return Close(true);
  host_.Traffic().output_bytes += writing_bytes_;
  ++host_.Traffic().writes;
  in_flight_.Consume(writing_bytes_);
  writing_bytes_ = 0;
  host_.OnClientFlush(*this);
}

void Client::Leave() {
  session.closing = true;
  if (left_) return;
  left_ = true;
  connection_->PauseReading();
  host_.OnClientLeaving(*this);
}

void Client::Close(bool at_once) {
  if (connection_->is_closing()) return;
  session.closing = true;
  connection_->PauseReading();
  // Whoever is still owed something stays in sight until CloseNow, as it may never read.
  if (at_once) {
    Leave();
    abandoned_ = true;
  }
  host_.OnClientFlush(*this);
}

void Client::CloseNow() {
  if (connection_->is_closing()) return;
  Leave();
  connection_->Close();
}

void Client::Drop() {
  if (connection_->is_closing()) return;
  CloseNow();
  output.Clear();
  in_flight_.Clear();
  input.Clear();
  input.ReleaseIfEmpty();
  parser.Clear();
}

void Client::OnClosed() { host_.OnClientGone(*this); }

size_t Client::MemoryBytes() const {
  return sizeof(Client) + sizeof(Connection) + input.capacity() + parser.MemoryBytes() +
         output.MemoryBytes() + in_flight_.MemoryBytes() + session.transaction.MemoryBytes() +
         session.watched.capacity() * sizeof(WatchedKey) + session.watched_name_bytes +
         session.name.capacity() + (session.suspension == nullptr ? 0 : session.suspension->MemoryBytes()) +
         (session.subscriber == nullptr ? 0 : session.subscriber->MemoryBytes()) +
         (session.pushes == nullptr ? 0 : session.pushes->MemoryBytes()) +
         (session.tracking == nullptr ? 0 : session.tracking->MemoryBytes());
}

bool Client::MayBeDropped() const {
  constexpr int64_t kGraceMs = 1'000;
  constexpr size_t kGraceBytes = 64 * 1024;
  if (session.no_evict) return false;
  return session.last_command != nullptr || host_.NowMs() - session.created_ms >= kGraceMs ||
         MemoryBytes() > kGraceBytes;
}

void Client::AgeReplyPeak(int64_t now_ms) {
  constexpr int64_t kReplyPeakMs = 5'000;
  if (now_ms - reply_peak_since_ms_ < kReplyPeakMs) return;
  reply_peak_since_ms_ = now_ms;
  reply_peak_ = std::min(OutputBytes(), ChunkPool::kChunkBytes);
}

ServerControl::ConnectionInfo Client::Info() const {
  ServerControl::ConnectionInfo info;
  info.address = connection_->PeerName();
  info.local_address = connection_->LocalName();
  info.fd = connection_->fd();
  info.unix_socket = connection_->kind() == Connection::Kind::kUnix;
  info.local = session.is_local;
  info.query_buffer_bytes = input.bytes().size() + parser.BlockArrived();
  info.query_buffer_free =
      input.capacity() - input.bytes().size() + (parser.NeedsBlock() ? parser.BlockMissing() : 0);
  info.argument_bytes = parser.InRequest() ? parser.LargeArgBytes() : 0;
  info.reply_buffer_bytes = output.open_chunk_bytes();
  info.reply_buffer_peak = reply_peak_;
  info.reply_buffer_used = output.open_bytes();
  info.output_list_length = output.piece_count() + in_flight_.piece_count();
  // (What an empty list keeps for its next pieces is not told.)
  if (info.output_list_length > 0)
    info.output_list_bytes = output.MemoryBytes() - output.open_chunk_bytes() + in_flight_.MemoryBytes();
  info.total_bytes = MemoryBytes();
  info.reading = connection_->is_reading();
  info.writing = connection_->is_writing();
  return info;
}

}  // namespace pinyon
