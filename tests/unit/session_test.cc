#include "engine/session.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace pinyon {

TEST_CASE("A transaction gives back what was queued", "[session]") {
  Transaction transaction;
  Command get, set;
  transaction.Begin();
  const std::string big(10'000, 'x');
  const std::string_view first[] = {"SET", "", big};
  const std::string_view second[] = {"GET", std::string_view("a\0b", 3)};
  transaction.Queue(&set, first);
  transaction.Queue(&get, second);
  REQUIRE(transaction.size() == 2);
  CHECK(transaction.command(0) == &set);
  CHECK(transaction.command(1) == &get);
  CHECK(transaction.MemoryBytes() >= big.size());

  std::vector<std::string_view> args;
  transaction.GetArgs(0, &args);
  CHECK(args == std::vector<std::string_view>(std::begin(first), std::end(first)));
  transaction.GetArgs(1, &args);
  CHECK(args == std::vector<std::string_view>(std::begin(second), std::end(second)));
}

TEST_CASE("A transaction that will not run keeps nothing more", "[session]") {
  const bool by_error = GENERATE(true, false);
  Transaction transaction;
  Command command;
  command.flags = kWrite | kDenyOom;
  const std::vector<std::string_view> args = {"SET", "key", "value"};
  transaction.Begin();
  by_error ? transaction.SetError() : transaction.SetWatchedChanged();
  transaction.Queue(&command, args);
  CHECK(transaction.size() == 0);
  CHECK_FALSE(transaction.HasWrites());
  CHECK_FALSE(transaction.MayGrow());
}

TEST_CASE("Resetting a transaction forgets everything and keeps little memory", "[session]") {
  Transaction transaction;
  Command command;
  transaction.Begin();
  const std::string big(10'000, 'x');
  const std::string_view args[] = {"ECHO", big};
  transaction.Queue(&command, args);
  transaction.SetError();
  transaction.SetWatchedChanged();
  transaction.Reset();
  CHECK_FALSE(transaction.active());
  CHECK_FALSE(transaction.has_error());
  CHECK_FALSE(transaction.watched_changed());
  CHECK(transaction.size() == 0);
  CHECK(transaction.MemoryBytes() < 1024);

  transaction.Begin();
  const std::string_view small[] = {"PING"};
  transaction.Queue(&command, small);
  std::vector<std::string_view> out;
  transaction.GetArgs(0, &out);
  CHECK(out == std::vector<std::string_view>{"PING"});
}

}  // namespace pinyon
