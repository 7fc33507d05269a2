// The harness itself: a test is only worth as much as what it is made with.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "integration/server_fixture.h"

namespace pinyon::testing {

TEST_CASE("every RESP type is parsed and printed", "[harness][redis-ok]") {
  const std::string bytes =
      "*13\r\n+OK\r\n-ERR "
      "no\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n,1.5\r\n#t\r\n(123456789012345678901\r\n"
      "!3\r\nERR\r\n=5\r\ntxt:x\r\n|1\r\n+k\r\n:1\r\n%1\r\n+key\r\n~2\r\n:1\r\n>1\r\n$0\r\n\r\n";
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    REQUIRE(!ReplyLength(std::string_view(bytes).substr(0, size)).has_value());
  }
  REQUIRE(ReplyLength(bytes + "+next\r\n") == bytes.size());
  const Reply reply = ParseReply(bytes);
  REQUIRE(reply.elements.size() == 13);
  CHECK(reply.elements[2].Integer() == -7);
  CHECK(reply.elements[3].text == "a\r\n");
  CHECK(reply.elements[6].IsNull());
  const Reply& map = reply.elements[12];
  CHECK(map.type == ReplyType::kMap);
  CHECK(map.attributes.size() == 2);
  CHECK(map.elements[1].type == ReplyType::kSet);
  CHECK(map.elements[1].elements[1].type == ReplyType::kPush);
  CHECK(Print(reply.elements[3]) == "(bulk) \"a\\r\\n\"");
  CHECK(Print(reply).find("(attribute, 2 elements)") != std::string::npos);
  CHECK(!(reply.elements[4] == reply.elements[5]));
}

TEST_CASE("what is not RESP is refused", "[harness][redis-ok]") {
  CHECK_THROWS_AS(ReplyLength("?\r\n"), MalformedReply);
  CHECK_THROWS_AS(ReplyLength("$abc\r\n"), MalformedReply);
  CHECK_THROWS_AS(ReplyLength("$1\r\nabc\r\n"), MalformedReply);
  CHECK_THROWS_AS(ParseReply("+OK\r\n+OK\r\n"), MalformedReply);
}

TEST_CASE("quoting reads back as the same bytes", "[harness][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  for (const std::string& text : {std::string("plain"), std::string(""), std::string("a b"),
                                  std::string("\"'\\"), std::string("\0\xff\r\n\t", 5)}) {
    client.Send("ECHO " + Quote(text) + "\r\n");
    CHECK(client.ReadReply().text == text);
  }
}

TEST_CASE("a stopped server leaves neither process nor folder", "[harness][redis-ok]") {
  auto server = Launch();
  const std::string folder = server->folder();
  const pid_t pid = server->pid();
  CHECK(server->Stop() == 0);
  CHECK(server->Stop() == 0);
  CHECK(kill(pid, 0) != 0);
  server.reset();
  CHECK(access(folder.c_str(), F_OK) != 0);
}

TEST_CASE("a server that does not start is reported with what it printed", "[harness][redis-ok]") {
  CHECK_THROWS_WITH(Launch({.binary = "/nonexistent/server"}), Catch::Contains("cannot execute"));
}

}  // namespace pinyon::testing
