#include "support/raw_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReceiveBytes = 256 * 1024;
// Up to here a started buffer is kept and only read further; beyond it handed-out bytes are erased.
constexpr size_t kCompactBytes = 1024 * 1024;

int RemainingMs(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

// True when `events` (or an error, which the next call reports) came within the time.
bool PollFor(int fd, short events, int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, RemainingMs(deadline));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) throw std::runtime_error(fmt::format("poll: {}", std::strerror(errno)));
  }
}

void Connect(int fd, const sockaddr* address, socklen_t size, const std::string& name) {
  if (connect(fd, address, size) == 0) return;
  const std::string why = std::strerror(errno);
  close(fd);
  throw ClientError(ClientError::Kind::kConnect, fmt::format("connect to {}: {}", name, why));
}

int NewSocket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw ClientError(ClientError::Kind::kConnect, fmt::format("socket: {}", std::strerror(errno)));
  return fd;
}

}  // namespace

RawClient RawClient::Tcp(const std::string& host, uint16_t port, int timeout_ms) {
  const std::string name = fmt::format("{} port {}", host, port);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  int fd = -1;
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    fd = NewSocket(AF_INET);
    Connect(fd, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4), name);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    fd = NewSocket(AF_INET6);
    Connect(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6), name);
  } else {
    throw ClientError(ClientError::Kind::kConnect, "not a numeric address: " + host);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return RawClient(fd, timeout_ms);
}

RawClient RawClient::Unix(const std::string& path, int timeout_ms) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw ClientError(ClientError::Kind::kConnect, "socket path too long: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = NewSocket(AF_UNIX);
  Connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address), path);
  return RawClient(fd, timeout_ms);
}

RawClient::RawClient(RawClient&& other) noexcept { *this = std::move(other); }

RawClient& RawClient::operator=(RawClient&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::exchange(other.fd_, -1);
  timeout_ms_ = other.timeout_ms_;
  closed_ = other.closed_;
  buffer_ = std::move(other.buffer_);
  consumed_ = std::exchange(other.consumed_, 0);
  other.buffer_.clear();
  return *this;
}

RawClient::~RawClient() { Close(); }

void RawClient::Send(std::string_view bytes) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms_);
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      throw ClientError(ClientError::Kind::kClosed, fmt::format("send: {}", std::strerror(errno)));
    }
    if (!PollFor(fd_, POLLOUT, RemainingMs(deadline))) {
      throw ClientError(ClientError::Kind::kTimeout, fmt::format("send: {} bytes left", bytes.size()));
    }
  }
}

bool RawClient::Receive(int timeout_ms) {
  if (closed_ || fd_ < 0) return false;
  if (!PollFor(fd_, POLLIN, timeout_ms)) return false;
  if (consumed_ == buffer_.size() || consumed_ > kCompactBytes) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  char bytes[kReceiveBytes];
  while (true) {
    const ssize_t received = recv(fd_, bytes, sizeof(bytes), 0);
    if (received > 0) {
      buffer_.append(bytes, static_cast<size_t>(received));
      return true;
    }
    if (received < 0 && errno == EINTR) continue;
    closed_ = true;
    return false;
  }
}

std::string RawClient::ReadRawReply() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms_);
  while (true) {
    const std::string_view pending = std::string_view(buffer_).substr(consumed_);
    if (const auto size = ReplyLength(pending)) {
      std::string bytes(pending.substr(0, *size));
      consumed_ += *size;
      return bytes;
    }
    if (Receive(RemainingMs(deadline))) continue;
    const std::string tail = Quote(std::string_view(buffer_).substr(consumed_, 200));
    if (closed_) throw ClientError(ClientError::Kind::kClosed, "connection closed after " + tail);
    throw ClientError(ClientError::Kind::kTimeout, "no whole reply in time, only " + tail);
  }
}

Reply RawClient::Call(const std::vector<std::string>& args) {
  SendCommand(args);
  return ReadReply();
}

std::string RawClient::Drain(int quiet_ms) {
  while (Receive(quiet_ms)) {
  }
  std::string bytes = buffer_.substr(consumed_);
  buffer_.clear();
  consumed_ = 0;
  return bytes;
}

bool RawClient::WaitForClose(int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!closed_) {
    if (!Receive(RemainingMs(deadline)) && !closed_) return false;
    consumed_ = buffer_.size();
  }
  return true;
}

void RawClient::Reset() {
  const linger abort{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  Close();
}

void RawClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void RawClient::ShutdownWrites() { shutdown(fd_, SHUT_WR); }

uint16_t RawClient::LocalPort() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return 0;
}

}  // namespace pinyon::testing
