// One connected client: its connection, session, and the bytes on their way in both directions. It moves
// bytes between the connection and the buffers and tells the turn that there is something to do; it executes
// nothing.
//
// Life: created when a connection is accepted; `Close` takes it out of service at once (its session leaves
// the registry), the object itself goes when the loop has let go of the connection
// (ClientHost::OnClientGone).
#pragma once

#include <cstdint>
#include <memory>

#include "engine/server_control.h"
#include "engine/session.h"
#include "net/connection.h"
#include "resp/input_buffer.h"
#include "resp/output_buffer.h"
#include "resp/request_parser.h"
#include "server/client_memory.h"

namespace pinyon {

class Client;

struct TrafficStats {
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t reads = 0;   // pieces of input that arrived
  uint64_t writes = 0;  // calls that wrote output
};

// What a client needs of the server.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  // The client has bytes to be parsed.
  virtual void OnClientReady(Client& client) = 0;
  // The other side sends nothing more: what it has sent is to be executed, then the client leaves.
  virtual void OnClientHungUp(Client& client) = 0;
  // The client is owed bytes that may be written now.
  virtual void OnClientFlush(Client& client) = 0;
  // The client leaves: nothing may be expected of its session any more.
  virtual void OnClientLeaving(Client& client) = 0;
  // Nothing refers to the client any more: to be deleted.
  virtual void OnClientGone(Client& client) = 0;
  // The client holds more or less memory than before.
  virtual void OnMemoryChanged(Client& client) = 0;
  virtual void OnQueryBufferLimit(Client& client) = 0;
  virtual void OnOutputLimit(Client& client) = 0;
  // Whether the client is owed more than it may be, or has been for longer: then it is to be cut off.
  virtual bool IsOverOutputLimit(Client& client) = 0;
  virtual int64_t QueryBufferLimit() const = 0;
  virtual int64_t NowMs() const = 0;
  virtual TrafficStats& Traffic() = 0;
  // Log offset up to which replies may be sent.
  virtual uint64_t ReplyOffset() const = 0;
};

class Client final : public ConnectionHandler {
 public:
  Client(ClientHost& host, ChunkPool& pool, std::unique_ptr<Connection> connection, uint64_t id);

  Session session;
  RequestParser parser;
  InputBuffer input;
  OutputBuffer output;

  // In the turn's lists.
  bool in_ready_list = false;
  int64_t ready_us = 0;  // when its requests were last taken up
  bool in_flush_list = false;
  bool in_gated_list = false;
  ClientMemory::Place memory_place;

  bool hung_up() const { return hung_up_; }
  void StartReading();
  // To be called when the turn has executed all that had arrived, or may not execute it because the client is
  // suspended: releases memory, reads on, or leaves after a hang-up.
  void OnDrained();
  // Writes what is owed up to log offset `reached`; closes when that was all and the session is closing.
  void Flush(uint64_t reached);
  // Takes the client out of service. The connection is closed by the next Flush, at once or after what is
  // owed was sent: so that thousands of clients that leave together are spread over turns.
  void Close(bool at_once);
  // Closes the connection here and now.
  void CloseNow();
  // The same, and frees at once what it holds, sent or not, executed or not. Not while one of its requests
  // runs.
  void Drop();
  // Tells the host that the client may hold more or less than before.
  void NoteMemory() {
    if (!left_) host_.OnMemoryChanged(*this);
  }

  const Connection& connection() const { return *connection_; }
  // It is owed what could be sent but for the log.
  bool WaitsForLog() const {
    return !connection_->is_closing() && !connection_->is_writing() && OutputBytes() > 0;
  }
  size_t OutputBytes() const { return output.size_bytes() + in_flight_.size_bytes(); }
  size_t MemoryBytes() const;
  // Whether it may be dropped to make room: not when it asked for that, nor when it has just come and done
  // nothing yet, or nobody could ask for it while clients take too much.
  bool MayBeDropped() const;
  ServerControl::ConnectionInfo Info() const;
  // Since when the output has been above its soft limit, as far as was looked, 0: it is not.
  int64_t soft_limit_since_ms = 0;
  // For the client's line: forgets what it was owed at most, every few seconds.
  void AgeReplyPeak(int64_t now_ms);

 private:
  std::span<char> ReadSpace() override;
  void OnRead(size_t count, bool filled) override;
  void OnHangUp(int error) override;
  void OnRestWritten(int error) override;
  void OnClosed() override;
  void Leave();
  void Write(uint64_t reached);

  ClientHost& host_;
  std::unique_ptr<Connection> connection_;
  // Output that was handed to libuv: its memory must stay until OnRestWritten.
  OutputBuffer in_flight_;
  size_t writing_bytes_ = 0;
  size_t read_this_turn_ = 0;
  size_t reply_peak_ = 0;
  int64_t reply_peak_since_ms_ = 0;
  bool hung_up_ = false;
  bool left_ = false;       // the host was told that the client leaves
  bool abandoned_ = false;  // what is owed is not sent any more
};

}  // namespace pinyon
