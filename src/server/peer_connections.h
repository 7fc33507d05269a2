// Keeps the connections over which MIGRATE gives keys to other servers: one for each host and port, for ten
// seconds after its last use, and no more than 64, of which the one goes first that has not been used for
// longest.
//
// Loop thread only, which waits for the peer (net/blocking_peer.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/key_transfer.h"
#include "net/blocking_peer.h"

namespace pinyon {

class PeerConnections final : public KeyTransfer {
 public:
  static constexpr size_t kMaxLinks = 64;
  static constexpr int64_t kKeepUs = 10'000'000;

  TransferLink* Open(std::string_view host, std::string_view port, int timeout_ms) override;
  void Close(TransferLink& link) override;
  // Periodic.
  void CloseIdle(int64_t now_us);
  size_t count() const { return links_.size(); }

 private:
  class Link final : public TransferLink {
   public:
    explicit Link(std::unique_ptr<BlockingPeer> peer) : peer_(std::move(peer)) {}
    Result Send(std::string_view bytes, int timeout_ms) override;
    Result ReadLine(std::string* line, int timeout_ms) override;

    int64_t used_us = 0;

   private:
    std::unique_ptr<BlockingPeer> peer_;
  };

  void MakeRoom();

  std::map<std::string, std::unique_ptr<Link>> links_;
};

}  // namespace pinyon
