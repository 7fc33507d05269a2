// What the server listens on: TCP on each bind address, and a Unix socket. A listener chooses its protocol;
// RESP is the one there is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/listener.h"
#include "server/network_options.h"

namespace pinyon {

class Listeners {
 public:
  Listeners(EventLoop& loop, const NetworkOptions& options, Log& log, Listener::OnAccept on_accept)
      : loop_(loop), options_(options), log_(log), on_accept_(std::move(on_accept)) {}
  ~Listeners() { Close(); }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Opens everything that is configured; returns what went wrong, which the log has then too, empty if all is
  // well. An address with a leading dash that the machine does not have is passed over.
  std::string Open();
  // Opens the TCP addresses anew after `change`. On an error, whose text answers CONFIG SET, nothing is
  // listened on until it is called again with the old options restored.
  enum class Change { kBind, kPort };
  std::string ReopenTcp(Change change);
  void Close();

 private:
  std::string OpenTcp(std::vector<std::unique_ptr<Listener>>* listeners);

  EventLoop& loop_;
  const NetworkOptions& options_;
  Log& log_;
  Listener::OnAccept on_accept_;
  std::vector<std::unique_ptr<Listener>> tcp_;
  std::unique_ptr<Listener> unix_;
};

}  // namespace pinyon
