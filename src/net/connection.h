// A stream to one client: TCP or Unix socket. Moves bytes, knows nothing of what they mean.
//
// Reading: the handler says where bytes go (ReadSpace) and hears what came (OnRead); PauseReading stops that.
// While paused by the handler the peer's hang-up is not seen. Writing: TryWrite hands over what the kernel
// takes at once. What it does not take is given to WriteRest, which keeps referring to the caller's memory
// until OnRestWritten; until then TryWrite writes nothing. Closing: Close() may be called at any time, and
// the caller's memory is not referred to from then on; OnClosed comes from the loop when nothing refers to
// the object any more, and then, and only then, the owner deletes it.
#pragma once

#include <sys/uio.h>
#include <uv.h>

#include <cstdint>
#include <span>
#include <string>

namespace pinyon {

class EventLoop;

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // Where the next bytes are to be put; not empty.
  virtual std::span<char> ReadSpace() = 0;
  // `count` bytes were put there; `filled`: the space was used up, there may be more.
  virtual void OnRead(size_t count, bool filled) = 0;
  // The peer closed its side (no error), or the connection broke.
  virtual void OnHangUp(int error) = 0;
  virtual void OnRestWritten(int error) = 0;
  virtual void OnClosed() = 0;
};

class Connection {
 public:
  enum class Kind : uint8_t { kTcp, kUnix };

  Connection(EventLoop& loop, Kind kind);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes the next connection of a listening stream; returns a libuv error code, 0 if all is well.
  int Accept(uv_stream_t* server);
  void SetHandler(ConnectionHandler* handler) { handler_ = handler; }
  ConnectionHandler* handler() const { return handler_; }
  // No delay of small packets; keep-alive probes after `seconds` of silence, then every third of that, 0:
  // none.
  void ConfigureTcp(int keepalive_s);

  void StartReading();
  void PauseReading();
  bool is_reading() const { return reading_; }

  // Writes as much as fits; returns the number of bytes, 0 when none fit now, or a negative libuv error code.
  ssize_t TryWrite(const iovec* pieces, size_t count);
  void WriteRest(const iovec* pieces, size_t count);
  bool is_writing() const { return writing_; }

  // Ends the connection for the peer at once, even if a forked child holds a copy of the socket.
  void Close();
  bool is_closing() const { return closing_; }

  Kind kind() const { return kind_; }
  int fd() const;
  // "127.0.0.1:6379", "[::1]:6379", "/path:0"; asked of the kernel at each call.
  std::string PeerName() const;
  std::string LocalName() const;
  // Whether the peer is on this machine: a Unix socket or a loopback address.
  bool IsLocal() const;

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle_); }
  const uv_stream_t* stream() const { return reinterpret_cast<const uv_stream_t*>(&handle_); }

  union Handle {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
  uv_write_t write_;
  ConnectionHandler* handler_ = nullptr;
  Kind kind_;
  bool reading_ = false;
  bool writing_ = false;
  bool closing_ = false;
};

}  // namespace pinyon
