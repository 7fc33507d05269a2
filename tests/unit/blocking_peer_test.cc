// The connection that waits, with peers of the test's own at the other end.
#include "net/blocking_peer.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

#include "base/assert.h"
#include "base/clock.h"

namespace pinyon {

namespace {

using Result = BlockingPeer::Result;

// A listening socket, and the side of a connection that it accepts.
class Target {
 public:
  Target() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  ~Target() {
    CloseAccepted();
    close(listener_);
  }
  std::unique_ptr<BlockingPeer> Connect() {
    auto peer = BlockingPeer::Connect("127.0.0.1", port_, 5000);
    REQUIRE(peer != nullptr);
    accepted_ = accept(listener_, nullptr, nullptr);
    REQUIRE(accepted_ >= 0);
    return peer;
  }
  // Also from other threads, where Catch's macros must not be used.
  void Say(std::string_view text) {
    PINYON_CHECK(send(accepted_, text.data(), text.size(), MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(text.size()));
  }
  void CloseAccepted() {
    if (accepted_ >= 0) close(accepted_);
    accepted_ = -1;
  }
  int accepted() const { return accepted_; }
  const std::string& port() const { return port_; }

 private:
  int listener_;
  int accepted_ = -1;
  std::string port_;
};

int64_t MsOf(const std::function<void()>& action) {
  const int64_t start_us = MonotonicUs();
  action();
  return (MonotonicUs() - start_us) / 1000;
}

}  // namespace

TEST_CASE("Lines are read one by one, however they arrive", "[net]") {
  Target target;
  auto peer = target.Connect();
  std::string line;
  target.Say("+OK\r\n-ERR no\r\n+half");
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "+OK");
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "-ERR no");
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    target.Say(" and\r");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    target.Say("\n+\n");
  });
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "+half and");
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "+");
  later.join();
}

TEST_CASE("Of an endless line the beginning is kept", "[net]") {
  Target target;
  auto peer = target.Connect();
  std::string line;
  target.Say("-" + std::string(20'000, 'x') + "\r\n+next\r\n");
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "-" + std::string(BlockingPeer::kMaxLineBytes - 1, 'x'));
  CHECK(peer->ReadLine(&line, 5000) == Result::kDone);
  CHECK(line == "+next");
}

TEST_CASE("Whoever drips does not hold us longer than agreed", "[net]") {
  Target target;
  auto peer = target.Connect();
  std::string line;
  std::thread drips([&] {
    for (int i = 0; i < 20; ++i) {
      target.Say("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  const int64_t took_ms = MsOf([&] { CHECK(peer->ReadLine(&line, 100) == Result::kTimedOut); });
  CHECK(took_ms >= 99);
  CHECK(took_ms < 1000);
  drips.join();
}

TEST_CASE("A peer that closes is told from one that is slow", "[net]") {
  Target target;
  auto peer = target.Connect();
  std::string line;
  CHECK(peer->ReadLine(&line, 10) == Result::kTimedOut);
  target.Say("+unfinished");
  target.CloseAccepted();
  CHECK(peer->ReadLine(&line, 5000) == Result::kBroken);
  // The first write may still be taken by the kernel.
  peer->WriteAll("x", 100);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(peer->WriteAll("x", 100) == Result::kBroken);
}

TEST_CASE("Much is written while somebody reads, and not otherwise", "[net]") {
  Target target;
  auto peer = target.Connect();
  const std::string much(20 << 20, 'm');
  SECTION("nobody") {
    const int64_t took_ms = MsOf([&] { CHECK(peer->WriteAll(much, 100) == Result::kTimedOut); });
    CHECK(took_ms < 2000);
  }
  SECTION("somebody") {
    size_t received = 0;
    std::thread reader([&] {
      std::string buffer(1 << 16, 0);
      while (received < much.size()) {
        const ssize_t count = recv(target.accepted(), buffer.data(), buffer.size(), 0);
        if (count <= 0) return;
        received += static_cast<size_t>(count);
      }
    });
    CHECK(peer->WriteAll(much, 5000) == Result::kDone);
    reader.join();
    CHECK(received == much.size());
  }
}

TEST_CASE("Refusals, names that mean nothing, and addresses that are tried in turn", "[net]") {
  std::string port;
  {
    Target gone;
    port = gone.port();
  }
  auto refused = BlockingPeer::Connect("127.0.0.1", port, 1000);
  REQUIRE(refused != nullptr);
  std::string line;
  CHECK(refused->WriteAll("x", 100) == Result::kBroken);
  CHECK(refused->ReadLine(&line, 100) == Result::kBroken);
  CHECK(BlockingPeer::Connect("", "1", 100) == nullptr);
  CHECK(BlockingPeer::Connect("127.0.0.1", "-1", 100) == nullptr);
  CHECK(BlockingPeer::Connect("no such host.invalid", "1", 100) == nullptr);
  // Nobody listens at ::1.
  Target target;
  auto peer = BlockingPeer::Connect("localhost", target.port(), 1000);
  REQUIRE(peer != nullptr);
  CHECK(peer->WriteAll("x", 1000) == Result::kDone);
}

}  // namespace pinyon
