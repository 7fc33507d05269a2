#include "net/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/assert.h"
#include "net/event_loop.h"
#include "net/socket_name.h"

namespace pinyon {

Connection::Connection(EventLoop& loop, Kind kind) : kind_(kind) {
  if (kind == Kind::kTcp) {
    PINYON_CHECK(uv_tcp_init(loop.uv(), &handle_.tcp) == 0);
  } else {
    PINYON_CHECK(uv_pipe_init(loop.uv(), &handle_.pipe, 0) == 0);
  }
  stream()->data = this;
}

// libuv refers to the handle until the close callback has run.
Connection::~Connection() { PINYON_ASSERT(closing_); }

int Connection::Accept(uv_stream_t* server) { return uv_accept(server, stream()); }

int Connection::fd() const {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_), &fd) != 0) return -1;
  return fd;
}

void Connection::ConfigureTcp(int keepalive_s) {
  if (kind_ != Kind::kTcp) return;
  uv_tcp_nodelay(&handle_.tcp, 1);
  if (keepalive_s == 0) return;
  const int socket = fd(), on = 1, count = 3, interval = std::max(keepalive_s / 3, 1);
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof keepalive_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

void Connection::StartReading() {
  if (reading_ || closing_) return;
  const int result = uv_read_start(
      stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        const std::span<char> space = static_cast<Connection*>(handle->data)->handler_->ReadSpace();
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(std::min<size_t>(space.size(), 1 << 30)));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        Connection* self = static_cast<Connection*>(stream->data);
        if (self->closing_ || count == 0) return;
        if (count < 0) return self->handler_->OnHangUp(count == UV_EOF ? 0 : static_cast<int>(count));
        self->handler_->OnRead(static_cast<size_t>(count), static_cast<size_t>(count) == buffer->len);
      });
  reading_ = result == 0;
}

void Connection::PauseReading() {
  if (!reading_) return;
  uv_read_stop(stream());
  reading_ = false;
}

// Straight to the socket: libuv's uv_try_write ends in write(), which takes the kernel longer than send().
ssize_t Connection::TryWrite(const iovec* pieces, size_t count) {
  if (writing_ || closing_) return 0;
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  ssize_t written;
  do {
    if (count == 1) {
      written = send(fd(), pieces->iov_base, pieces->iov_len, kFlags);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces);
      message.msg_iovlen = count;
      written = sendmsg(fd(), &message, kFlags);
    }
  } while (written < 0 && errno == EINTR);
  if (written >= 0) return written;
  return errno == EAGAIN || errno == ENOBUFS ? 0 : uv_translate_sys_error(errno);
}

void Connection::WriteRest(const iovec* pieces, size_t count) {
  PINYON_ASSERT(!writing_ && !closing_);
  write_.data = this;
  static_assert(sizeof(uv_buf_t) == sizeof(iovec));
  const int result = uv_write(&write_, stream(), reinterpret_cast<const uv_buf_t*>(pieces),
                              static_cast<unsigned>(count), [](uv_write_t* request, int status) {
                                Connection* self = static_cast<Connection*>(request->data);
                                self->writing_ = false;
                                self->handler_->OnRestWritten(status);
                              });
  PINYON_CHECK(result == 0);  // fails only for a handle that is no stream
  writing_ = true;
}

void Connection::Close() {
  if (closing_) return;
  closing_ = true;
  reading_ = false;
  shutdown(fd(), SHUT_RDWR);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
    Connection* self = static_cast<Connection*>(handle->data);
    if (self->handler_ != nullptr) {
      self->handler_->OnClosed();
    } else {
      delete self;  // was never given to anybody
    }
  });
}

std::string Connection::PeerName() const {
  sockaddr_storage address{};
  int length = sizeof address;
  if (kind_ == Kind::kUnix) return UnixSocketName(fd());
  if (uv_tcp_getpeername(&handle_.tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "?:0";
  return SocketName(address);
}

std::string Connection::LocalName() const {
  sockaddr_storage address{};
  int length = sizeof address;
  if (kind_ == Kind::kUnix) return UnixSocketName(fd());
  if (uv_tcp_getsockname(&handle_.tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "?:0";
  return SocketName(address);
}

bool Connection::IsLocal() const {
  if (kind_ == Kind::kUnix) return true;
  sockaddr_storage address{};
  int length = sizeof address;
  if (uv_tcp_getpeername(&handle_.tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  return IsLoopback(address);
}

}  // namespace pinyon
