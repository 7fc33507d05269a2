// maxmemory-clients: when the memory of all clients together is above it, the fattest are dropped until it is
// not. Clients that asked not to be (CLIENT NO-EVICT) count, but stay, and so do those that have just come.
//
// While there is a limit every client is known here with its memory as of the last Update, and stands in the
// list of its size class, four of which make a doubling. The fattest client is any of the highest class, so
// it is found without a look at the others, and may be a fifth leaner than the very fattest.
//
// Whoever changes what a client holds says so by Update (Client::NoteMemory); a client that nothing happens
// to costs nothing.
//
// Invariants: the total is the sum of what is known of all clients; a client stands in the list of the class
// of what is known of it, or in none when it must stay. Without a limit nothing is known.
//
// Costs: one comparison before each command; an Update takes some ten nanoseconds, and moves a client only
// when its class has changed. Dropping a client takes some ten microseconds, so few are dropped at once, and
// the next command drops more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "base/log.h"
#include "engine/session_registry.h"
#include "keyspace/eviction_options.h"

namespace pinyon {

class Client;

class ClientMemory {
 public:
  // A client's place here, in the client.
  struct Place {
    static constexpr uint8_t kUnknown = 0xff;  // there is no limit
    static constexpr uint8_t kStays = 0xfe;    // it counts, and stands in no list
    size_t bytes = 0;
    uint8_t size_class = kUnknown;
    Client* previous = nullptr;
    Client* next = nullptr;
  };

  // All are borrowed. `configured` is the directive: bytes, 0, or, negative, percent of maxmemory. `drop`
  // takes a client out of service and frees what it holds.
  ClientMemory(const SessionRegistry& sessions, const int64_t& configured, const EvictionOptions& eviction,
               Log& log, std::function<void(Client&)> drop)
      : sessions_(sessions),
        configured_(configured),
        eviction_(eviction),
        log_(log),
        drop_(std::move(drop)) {}
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  bool enabled() const { return limit_ != kNoLimit; }
  uint64_t total() const { return total_; }

  // The client holds more or less than before, or may be dropped now or not.
  void Update(Client& client);
  // The client leaves.
  void Forget(Client& client);

  // To be asked before each command, not within one.
  bool IsOver() const { return total_ > limit_; }
  // Drops some of the fattest while IsOver; returns whether there are more to be dropped.
  bool MakeRoom();
  // The same with the limit as it is configured by now; to be called once a turn.
  bool ReadLimitAndMakeRoom();

 private:
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  // Up to 2 KiB, then four classes for each doubling, up to a TiB and beyond.
  static constexpr int kSmallestBits = 11;
  static constexpr int kLargestBits = 40;
  static constexpr size_t kClasses = 4 * (kLargestBits - kSmallestBits + 1);

  static uint8_t ClassOf(size_t bytes);
  uint64_t ConfiguredLimit() const;
  void SetLimit(uint64_t limit);
  void Link(Client& client, uint8_t size_class);
  void Unlink(Client& client);
  // Null when all that are left must stay.
  Client* Fattest() const;

  const SessionRegistry& sessions_;
  const int64_t& configured_;
  const EvictionOptions& eviction_;
  Log& log_;
  std::function<void(Client&)> drop_;
  uint64_t limit_ = kNoLimit;
  uint64_t total_ = 0;
  size_t listed_ = 0;      // clients in lists
  bool has_told_ = false;  // that all are dropped that may be
  std::array<Client*, kClasses> classes_ = {};
};

}  // namespace pinyon
