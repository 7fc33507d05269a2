#include "net/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "net/event_loop.h"

namespace pinyon {

struct Listener::Handle {
  union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  EventLoop* loop;
  Connection::Kind kind;
  OnAccept on_accept;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
  Handle() {}
  ~Handle() {}
};

Listener::Listener(EventLoop& loop, Connection::Kind kind, OnAccept on_accept) : handle_(new Handle) {
  handle_->loop = &loop;
  handle_->kind = kind;
  handle_->on_accept = std::move(on_accept);
  if (kind == Connection::Kind::kTcp) {
    PINYON_CHECK(uv_tcp_init(loop.uv(), &handle_->tcp) == 0);
  } else {
    PINYON_CHECK(uv_pipe_init(loop.uv(), &handle_->pipe, 0) == 0);
  }
  handle_->stream()->data = handle_;
}

Listener::~Listener() {
  uv_close(reinterpret_cast<uv_handle_t*>(handle_->stream()),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

std::string Listener::Listen(int backlog) {
  const int result = uv_listen(handle_->stream(), backlog, [](uv_stream_t* server, int status) {
    Handle* handle = static_cast<Handle*>(server->data);
    if (status != 0) return;  // out of descriptors, or the peer has gone already: the next one may do better
    Connection* connection = new Connection(*handle->loop, handle->kind);
    if (connection->Accept(server) != 0) return connection->Close();
    handle->on_accept(connection);
  });
  return result == 0 ? "" : std::strerror(-result);
}

std::unique_ptr<Listener> Listener::Tcp(EventLoop& loop, const std::string& address, int port, int backlog,
                                        OnAccept on_accept, std::string* error, bool* not_available) {
  *not_available = false;
  const bool any_v4 = address == "*", any_v6 = address == "::*";
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  hints.ai_family = any_v4 ? AF_INET : any_v6 ? AF_INET6 : AF_UNSPEC;
  const char* node = any_v4 || any_v6 ? nullptr : address.c_str();
  const int resolved = getaddrinfo(node, std::to_string(port).c_str(), &hints, &found);
  if (resolved != 0) {
    *error = gai_strerror(resolved);
    *not_available = true;
    return nullptr;
  }
  std::unique_ptr<Listener> listener(new Listener(loop, Connection::Kind::kTcp, std::move(on_accept)));
  const unsigned flags = found->ai_family == AF_INET6 ? static_cast<unsigned>(UV_TCP_IPV6ONLY) : 0u;
  const int bound = uv_tcp_bind(&listener->handle_->tcp, found->ai_addr, flags);
  freeaddrinfo(found);
  if (bound != 0) {
    *error = fmt::format("bind: {}", std::strerror(-bound));
    *not_available = bound == UV_EADDRNOTAVAIL || bound == UV_EAFNOSUPPORT || bound == UV_EPROTONOSUPPORT;
    return nullptr;
  }
  const std::string reason = listener->Listen(backlog);
  if (reason.empty()) return listener;
  // libuv tells an address in use only now.
  *error = fmt::format("bind: {}", reason);
  return nullptr;
}

std::unique_ptr<Listener> Listener::Unix(EventLoop& loop, const std::string& path, unsigned permissions,
                                         int backlog, OnAccept on_accept, std::string* error) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    *error = "path too long";
    return nullptr;
  }
  unlink(path.c_str());
  std::unique_ptr<Listener> listener(new Listener(loop, Connection::Kind::kUnix, std::move(on_accept)));
  const int bound = uv_pipe_bind(&listener->handle_->pipe, path.c_str());
  if (bound != 0) {
    // libuv turns "no such folder" into "permission denied".
    const std::string folder = path.substr(0, path.find_last_of('/') + 1);
    const bool no_folder = bound == UV_EACCES && !folder.empty() && access(folder.c_str(), F_OK) != 0;
    *error = fmt::format("bind: {}", std::strerror(no_folder ? errno : -bound));
    return nullptr;
  }
  if (permissions != 0 && chmod(path.c_str(), permissions) != 0) {
    *error = fmt::format("chmod: {}", std::strerror(errno));
    return nullptr;
  }
  *error = listener->Listen(backlog);
  return error->empty() ? std::move(listener) : nullptr;
}

}  // namespace pinyon
