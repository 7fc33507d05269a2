// A listening socket: TCP (IPv4 or IPv6) or Unix. Each accepted connection is handed to `on_accept`, which
// owns it.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"

namespace pinyon {

class Listener {
 public:
  using OnAccept = std::function<void(Connection* connection)>;

  // `address`: numeric or a name; "*" and "::*" are all of IPv4 and of IPv6. Returns null, with a reason and
  // whether the machine just does not have that address or family, when it cannot be bound.
  static std::unique_ptr<Listener> Tcp(EventLoop& loop, const std::string& address, int port, int backlog,
                                       OnAccept on_accept, std::string* error, bool* not_available);
  // Replaces a socket file that is there; `permissions` 0 leaves them to the umask.
  static std::unique_ptr<Listener> Unix(EventLoop& loop, const std::string& path, unsigned permissions,
                                        int backlog, OnAccept on_accept, std::string* error);

  // Closes the socket; libuv's part of the object goes away with the next turn of the loop.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  // Outlives the listener until libuv lets go of it.
  struct Handle;
  Listener(EventLoop& loop, Connection::Kind kind, OnAccept on_accept);
  std::string Listen(int backlog);

  Handle* handle_;
};

}  // namespace pinyon
