// A connection to another server for whoever has to wait for its answer: MIGRATE. Without the loop, which
// stands still meanwhile; every wait is bounded.
//
// Costs: the caller's time. Names are looked up by getaddrinfo, which has limits of its own (a name that is
// an address is not looked up). 4 KiB of what has been read ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pinyon {

class BlockingPeer {
 public:
  enum class Result : uint8_t { kDone, kTimedOut, kBroken };
  // Of a line no more than this is kept.
  static constexpr size_t kMaxLineBytes = 1024;

  // Tries the addresses of a name in turn, all within `timeout_ms`. Null: there are none, none can be reached
  // from here, or none answered in time. Where all that answered refused, a peer that is broken from the
  // start: a refusal is told like a connection that the other side has closed.
  static std::unique_ptr<BlockingPeer> Connect(const std::string& host, const std::string& port,
                                               int timeout_ms);
  ~BlockingPeer();
  BlockingPeer(const BlockingPeer&) = delete;
  BlockingPeer& operator=(const BlockingPeer&) = delete;

  // The limit is for each 64 KiB. After anything but kDone the connection is of no use any more.
  Result WriteAll(std::string_view bytes, int timeout_ms);
  // A line that ends with LF, or CR LF, without that.
  Result ReadLine(std::string* line, int timeout_ms);

 private:
  explicit BlockingPeer(int fd) : fd_(fd) {}
  Result Receive(int64_t deadline_us);

  int fd_;  // -1: refused
  std::string received_;
  size_t consumed_ = 0;  // of received_
};

}  // namespace pinyon
