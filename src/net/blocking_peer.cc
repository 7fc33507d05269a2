#include "net/blocking_peer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"

namespace pinyon {

namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kPeerReadBytes = 4096;

int64_t DeadlineUs(int timeout_ms) { return MonotonicUs() + int64_t{timeout_ms} * 1000; }

// Whether `events` have come before the deadline; errors and hang-ups count as such.
bool WaitFor(int fd, short events, int64_t deadline_us) {
  while (true) {
    const int64_t left_ms = (deadline_us - MonotonicUs() + 999) / 1000;
    if (left_ms <= 0) return false;
    pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(left_ms));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

enum class Attempt : uint8_t { kConnected, kRefused, kFailed };

Attempt ConnectTo(int fd, const addrinfo& address, int64_t deadline_us) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return Attempt::kConnected;
  if (errno == ECONNREFUSED) return Attempt::kRefused;
  if (errno != EINPROGRESS || !WaitFor(fd, POLLOUT, deadline_us)) return Attempt::kFailed;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return Attempt::kFailed;
  return error == 0 ? Attempt::kConnected : Attempt::kRefused;
}

}  // namespace

std::unique_ptr<BlockingPeer> BlockingPeer::Connect(const std::string& host, const std::string& port,
                                                    int timeout_ms) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return nullptr;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  const int64_t deadline_us = DeadlineUs(timeout_ms);
  bool refused = false;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    const Attempt attempt = ConnectTo(fd, *address, deadline_us);
    if (attempt == Attempt::kConnected) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return std::unique_ptr<BlockingPeer>(new BlockingPeer(fd));
    }
    close(fd);
    refused = refused || attempt == Attempt::kRefused;
  }
  return refused ? std::unique_ptr<BlockingPeer>(new BlockingPeer(-1)) : nullptr;
}

BlockingPeer::~BlockingPeer() {
  if (fd_ < 0) return;
  // A forked child may hold a copy.
  shutdown(fd_, SHUT_RDWR);
  close(fd_);
}

BlockingPeer::Result BlockingPeer::WriteAll(std::string_view bytes, int timeout_ms) {
  if (fd_ < 0) return Result::kBroken;
  int64_t deadline_us = DeadlineUs(timeout_ms);
  size_t piece_left = kPieceBytes;
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), std::min(bytes.size(), piece_left), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (!WaitFor(fd_, POLLOUT, deadline_us)) return Result::kTimedOut;
      continue;
    }
    if (sent < 0) return Result::kBroken;
    bytes.remove_prefix(static_cast<size_t>(sent));
    piece_left -= static_cast<size_t>(sent);
    if (piece_left > 0) continue;
    piece_left = kPieceBytes;
    deadline_us = DeadlineUs(timeout_ms);
  }
  return Result::kDone;
}

BlockingPeer::Result BlockingPeer::ReadLine(std::string* line, int timeout_ms) {
  if (fd_ < 0) return Result::kBroken;
  const int64_t deadline_us = DeadlineUs(timeout_ms);
  line->clear();
  while (true) {
    const size_t line_end = received_.find('\n', consumed_);
    const std::string_view part = std::string_view(received_).substr(
        consumed_, line_end == std::string::npos ? line_end : line_end - consumed_);
    line->append(part.substr(0, kMaxLineBytes - line->size()));
    if (line_end != std::string::npos) {
      consumed_ = line_end + 1;
      if (line->ends_with('\r')) line->pop_back();
      return Result::kDone;
    }
    const Result result = Receive(deadline_us);
    if (result != Result::kDone) return result;
  }
}

// In the place of what has been read and used.
BlockingPeer::Result BlockingPeer::Receive(int64_t deadline_us) {
  consumed_ = 0;
  received_.resize(kPeerReadBytes);
  while (true) {
    const ssize_t count = recv(fd_, received_.data(), received_.size(), 0);
    if (count > 0) {
      received_.resize(static_cast<size_t>(count));
      return Result::kDone;
    }
    if (count < 0 && errno == EINTR) continue;
    received_.clear();
    if (count == 0 || errno != EAGAIN) return Result::kBroken;
    if (!WaitFor(fd_, POLLIN, deadline_us)) return Result::kTimedOut;
    received_.resize(kPeerReadBytes);
  }
}

}  // namespace pinyon
