#include "server/peer_connections.h"

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"

namespace pinyon {

namespace {

TransferLink::Result ResultOf(BlockingPeer::Result result) {
  switch (result) {
    case BlockingPeer::Result::kDone: return TransferLink::Result::kDone;
    case BlockingPeer::Result::kTimedOut: return TransferLink::Result::kTimedOut;
    case BlockingPeer::Result::kBroken: break;
  }
  return TransferLink::Result::kBroken;
}

}  // namespace

TransferLink::Result PeerConnections::Link::Send(std::string_view bytes, int timeout_ms) {
  return ResultOf(peer_->WriteAll(bytes, timeout_ms));
}

TransferLink::Result PeerConnections::Link::ReadLine(std::string* line, int timeout_ms) {
  return ResultOf(peer_->ReadLine(line, timeout_ms));
}

TransferLink* PeerConnections::Open(std::string_view host, std::string_view port, int timeout_ms) {
  // As much of the port as is a number, like Redis.
  const std::string port_number = std::to_string(std::atoi(std::string(port).c_str()));
  const std::string name = std::string(host) + ":" + port_number;
  auto it = links_.find(name);
  if (it == links_.end()) {
    std::unique_ptr<BlockingPeer> peer = BlockingPeer::Connect(std::string(host), port_number, timeout_ms);
    if (peer == nullptr) return nullptr;
    MakeRoom();
    it = links_.emplace(name, std::make_unique<Link>(std::move(peer))).first;
  }
  it->second->used_us = MonotonicUs();
  return it->second.get();
}

void PeerConnections::MakeRoom() {
  if (links_.size() < kMaxLinks) return;
  links_.erase(std::min_element(links_.begin(), links_.end(), [](const auto& a, const auto& b) {
    return a.second->used_us < b.second->used_us;
  }));
}

void PeerConnections::Close(TransferLink& link) {
  std::erase_if(links_, [&link](const auto& named) { return named.second.get() == &link; });
}

void PeerConnections::CloseIdle(int64_t now_us) {
  std::erase_if(links_, [now_us](const auto& named) { return now_us - named.second->used_us > kKeepUs; });
}

}  // namespace pinyon
