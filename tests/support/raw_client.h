// A small blocking RESP client over a raw socket, for tests that care about bytes and about when they are
// sent.
//
// Every operation is bounded by the client's timeout and throws ClientError when it passes. Not thread-safe;
// movable; the destructor closes the socket.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/reply.h"

namespace pinyon::testing {

struct ClientError : std::runtime_error {
  enum class Kind { kConnect, kTimeout, kClosed };
  ClientError(Kind why, const std::string& what) : std::runtime_error(what), kind(why) {}
  Kind kind;
};

class RawClient {
 public:
  static constexpr int kDefaultTimeoutMs = 10000;

  // `host` is a numeric IPv4 or IPv6 address. Both throw ClientError (kConnect).
  static RawClient Tcp(const std::string& host, uint16_t port, int timeout_ms = kDefaultTimeoutMs);
  static RawClient Unix(const std::string& path, int timeout_ms = kDefaultTimeoutMs);

  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  // Writes all of `bytes`. Reads nothing meanwhile, so a peer that stops reading makes it time out.
  void Send(std::string_view bytes);
  void SendCommand(const std::vector<std::string>& args) { Send(EncodeCommand(args)); }

  // One whole reply as it came, or parsed. Throws ClientError or MalformedReply.
  std::string ReadRawReply();
  Reply ReadReply() { return ParseReply(ReadRawReply()); }
  Reply Call(const std::vector<std::string>& args);

  // What has arrived by now plus what arrives before `quiet_ms` pass without a byte; sets closed() at the end
  // of the stream. With 0 it only takes what is there.
  std::string Drain(int quiet_ms);

  // Reads and drops everything until the peer closes; false when it has not within `timeout_ms`.
  bool WaitForClose(int timeout_ms);

  // True once a read has seen the end of the stream or a reset.
  bool closed() const { return closed_; }

  // Closes with SO_LINGER 0, so the peer sees a reset rather than an end of stream.
  void Reset();
  void Close();
  void ShutdownWrites();
  void SetTimeout(int timeout_ms) { timeout_ms_ = timeout_ms; }
  int fd() const { return fd_; }
  uint16_t LocalPort() const;

 private:
  RawClient(int fd, int timeout_ms) : fd_(fd), timeout_ms_(timeout_ms) {}

  // One recv into the buffer after waiting up to `timeout_ms`; false when nothing came in time or at the end
  // of the stream, which also sets closed_.
  bool Receive(int timeout_ms);

  int fd_ = -1;
  int timeout_ms_ = kDefaultTimeoutMs;
  bool closed_ = false;
  std::string buffer_;   // received and not handed out yet
  size_t consumed_ = 0;  // of buffer_, handed out already
};

}  // namespace pinyon::testing
