// Socket addresses as text, the way Redis prints them: "127.0.0.1:6379", "[::1]:6379", "/path/of/socket:0".
#pragma once

#include <sys/socket.h>

#include <string>

namespace pinyon {

std::string SocketName(const sockaddr_storage& address);
// The path to which a Unix socket (or the listener that it came from) is bound.
std::string UnixSocketName(int fd);
bool IsLoopback(const sockaddr_storage& address);

}  // namespace pinyon
