// What counts as freed lazily, by command and directive.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "integration/data_folder.h"
#include "integration/server_fixture.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

// Large enough to be worth a thread.
void AddLarge(RawClient& client, const std::string& key) {
  std::vector<std::string> command = {"SADD", key};
  for (int i = 0; i < 1'000; ++i) command.push_back("member:" + std::to_string(i));
  REQUIRE(client.Call(command).Integer() == 1'000);
}

class LazyFreeing {
 public:
  explicit LazyFreeing(const std::string& value)
      : server_(LaunchWith({"--lazyfree-lazy-expire", value, "--lazyfree-lazy-server-del", value,
                            "--lazyfree-lazy-user-del", value, "--lazyfree-lazy-user-flush", value})),
        client_(server_->Connect()) {}

  // How many more objects were freed lazily when the command was done.
  int After(const std::vector<std::string>& command) {
    AddLarge(client_, "large");
    client_.Call({"CONFIG", "RESETSTAT"});
    client_.Call(command);
    WaitUntilDone();
    const int freed = std::stoi(InfoField(client_, "memory", "lazyfreed_objects"));
    client_.Call({"UNLINK", "large", "other"});
    WaitUntilDone();
    return freed;
  }

 private:
  void WaitUntilDone() {
    CHECK(Eventually([&] { return InfoField(client_, "memory", "lazyfree_pending_objects") == "0"; }));
  }

  std::unique_ptr<ServerProcess> server_;
  RawClient client_;
};

}  // namespace

TEST_CASE("what counts as freed lazily follows the directives", "[lazyfree][redis-ok]") {
  const bool lazily = GENERATE(false, true);
  LazyFreeing keys(lazily ? "yes" : "no");
  const int expected = lazily ? 1 : 0;
  CHECK(keys.After({"DEL", "large"}) == expected);
  CHECK(keys.After({"SET", "large", "small"}) == expected);
  CHECK(keys.After({"RENAME", "large", "other"}) == 0);
  CHECK(keys.After({"FLUSHALL"}) == expected);
  CHECK(keys.After({"FLUSHDB"}) == expected);
  CHECK(keys.After({"PEXPIREAT", "large", "1"}) == expected);
  CHECK(keys.After({"SET", "small", "value"}) == 0);
}

TEST_CASE("UNLINK, ASYNC and SYNC say it themselves", "[lazyfree][redis-ok]") {
  const bool lazily = GENERATE(false, true);
  LazyFreeing keys(lazily ? "yes" : "no");
  CHECK(keys.After({"UNLINK", "large"}) == 1);
  CHECK(keys.After({"FLUSHALL", "ASYNC"}) == 1);
  CHECK(keys.After({"FLUSHDB", "ASYNC"}) == 1);
  CHECK(keys.After({"FLUSHALL", "SYNC"}) == 0);
}

}  // namespace pinyon::testing
