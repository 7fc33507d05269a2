#include "server/client_memory.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "server/client.h"

namespace pinyon {

namespace {

// How many are dropped at once, for so long holds a command up.
constexpr int kDropsAtOnce = 16;

}  // namespace

uint8_t ClientMemory::ClassOf(size_t bytes) {
  const int bits = static_cast<int>(std::bit_width(bytes)) - 1;
  if (bits < kSmallestBits) return 0;
  const size_t quarter = bytes >> (bits - 2) & 3;
  const size_t index = static_cast<size_t>(bits - kSmallestBits) * 4 + quarter;
  return static_cast<uint8_t>(std::min(index, kClasses - 1));
}

uint64_t ClientMemory::ConfiguredLimit() const {
  if (configured_ > 0) return static_cast<uint64_t>(configured_);
  if (configured_ == 0 || eviction_.max_memory == 0) return kNoLimit;
  return static_cast<uint64_t>(static_cast<double>(eviction_.max_memory) * static_cast<double>(-configured_) /
                               100);
}

void ClientMemory::Link(Client& client, uint8_t size_class) {
  Place& place = client.memory_place;
  place.size_class = size_class;
  if (size_class == Place::kStays) return;
  Client*& first = classes_[size_class];
  place.previous = nullptr;
  place.next = first;
  if (first != nullptr) first->memory_place.previous = &client;
  first = &client;
  ++listed_;
}

void ClientMemory::Unlink(Client& client) {
  Place& place = client.memory_place;
  if (place.size_class == Place::kStays) return;
  PINYON_ASSERT(place.size_class < kClasses && listed_ > 0);
  if (place.next != nullptr) place.next->memory_place.previous = place.previous;
  (place.previous != nullptr ? place.previous->memory_place.next : classes_[place.size_class]) = place.next;
  place.previous = place.next = nullptr;
  --listed_;
}

void ClientMemory::Update(Client& client) {
  if (!enabled()) return;
  Place& place = client.memory_place;
  const size_t bytes = client.MemoryBytes();
  total_ += bytes - place.bytes;
  place.bytes = bytes;
  const uint8_t size_class = client.MayBeDropped() ? ClassOf(bytes) : Place::kStays;
  if (size_class == place.size_class) return;
  if (place.size_class != Place::kUnknown) Unlink(client);
  Link(client, size_class);
}

void ClientMemory::Forget(Client& client) {
  Place& place = client.memory_place;
  if (place.size_class == Place::kUnknown) return;
  Unlink(client);
  PINYON_ASSERT(total_ >= place.bytes);
  total_ -= place.bytes;
  place = Place();
}

Client* ClientMemory::Fattest() const {
  if (listed_ == 0) return nullptr;
  const auto last =
      std::find_if(classes_.rbegin(), classes_.rend(), [](const Client* first) { return first != nullptr; });
  PINYON_ASSERT(last != classes_.rend());
  return *last;
}

bool ClientMemory::MakeRoom() {
  for (int left = kDropsAtOnce; IsOver(); --left) {
    if (left == 0) return true;
    Client* fattest = Fattest();
    if (fattest == nullptr) {
      if (!has_told_) log_.Warning("Over client maxmemory after evicting all evictable clients");
      has_told_ = true;
      return false;
    }
    drop_(*fattest);
    PINYON_ASSERT(fattest->memory_place.size_class == Place::kUnknown);
  }
  has_told_ = false;
  return false;
}

bool ClientMemory::ReadLimitAndMakeRoom() {
  if (const uint64_t limit = ConfiguredLimit(); limit != limit_) SetLimit(limit);
  return IsOver() && MakeRoom();
}

void ClientMemory::SetLimit(uint64_t limit) {
  const bool was_enabled = enabled();
  limit_ = limit;
  has_told_ = false;
  if (was_enabled == enabled()) return;
  for (const auto& [id, session] : sessions_.all()) {
    if (session->connection == nullptr) continue;
    Client& client = static_cast<Client&>(*session->connection->handler());
    enabled() ? Update(client) : Forget(client);
  }
  PINYON_ASSERT(enabled() || (total_ == 0 && listed_ == 0));
}

}  // namespace pinyon
