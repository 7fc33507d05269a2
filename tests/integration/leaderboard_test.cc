// A leaderboard as games keep one, end to end through hiredis: scores come in, players ask for their rank and
// their page, ties are in a known order, a season ends.
#include <hiredis/hiredis.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

constexpr int kPlayers = 3000;
constexpr int kPageSize = 25;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using HiredisReply = std::unique_ptr<redisReply, FreeReply>;

struct Row {
  std::string player;
  long score;
  bool operator==(const Row&) const = default;
};

std::string PlayerName(int number) { return "player:" + std::to_string(number); }

class Leaderboard {
 public:
  explicit Leaderboard(int port) : context_(redisConnect("127.0.0.1", port)) { REQUIRE(context_->err == 0); }

  template <typename... Values>
  HiredisReply Command(const char* format, Values... values) {
    HiredisReply reply(static_cast<redisReply*>(redisCommand(context_.get(), format, values...)));
    REQUIRE(reply);
    return reply;
  }

  // What is found in a pipeline of points scored.
  void Score(const std::vector<Row>& points) {
    for (const Row& row : points) {
      redisAppendCommand(context_.get(), "ZINCRBY board %ld %s", row.score, row.player.c_str());
      expected_[row.player] += row.score;
    }
    for (const Row& row : points) {
      void* next = nullptr;
      REQUIRE(redisGetReply(context_.get(), &next) == REDIS_OK);
      const HiredisReply reply(static_cast<redisReply*>(next));
      REQUIRE(reply->type == REDIS_REPLY_STRING);
      last_reply_[row.player] = reply->str;
    }
  }

  // Highest first; of equal scores the greater name.
  std::vector<Row> Standing() const {
    std::vector<Row> rows;
    for (const auto& [player, score] : expected_) rows.push_back({player, score});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.score != b.score ? a.score > b.score : a.player > b.player;
    });
    return rows;
  }

  std::vector<Row> Page(int number) {
    const HiredisReply reply =
        Command("ZREVRANGE board %d %d WITHSCORES", number * kPageSize, (number + 1) * kPageSize - 1);
    return Rows(*reply);
  }

  static std::vector<Row> Rows(const redisReply& reply) {
    REQUIRE(reply.type == REDIS_REPLY_ARRAY);
    std::vector<Row> rows;
    for (size_t i = 0; i + 1 < reply.elements; i += 2) {
      rows.push_back({reply.element[i]->str, std::stol(reply.element[i + 1]->str)});
    }
    return rows;
  }

  std::map<std::string, long>& expected() { return expected_; }
  const std::string& last_reply(const std::string& player) { return last_reply_.at(player); }

 private:
  std::unique_ptr<redisContext, FreeContext> context_;
  std::map<std::string, long> expected_;
  std::map<std::string, std::string> last_reply_;
};

// A season: many games, in which everybody scores now and then, and ties are common.
void PlaySeason(Leaderboard& board) {
  for (int game = 0; game < 8; ++game) {
    std::vector<Row> points;
    for (int i = game % 3; i < kPlayers; i += 1 + game % 3) {
      points.push_back({PlayerName(i), (i * 7919 + game * 31) % 50 - 5});
    }
    board.Score(points);
  }
}

std::vector<Row> Slice(const std::vector<Row>& rows, size_t begin, size_t count) {
  begin = std::min(begin, rows.size());
  const size_t end = std::min(begin + count, rows.size());
  return {rows.begin() + static_cast<long>(begin), rows.begin() + static_cast<long>(end)};
}

}  // namespace

TEST_CASE("a leaderboard keeps everybody's place", "[hiredis][redis-ok]") {
  auto server = Launch();
  Leaderboard board(server->port());
  PlaySeason(board);
  const std::vector<Row> standing = board.Standing();
  REQUIRE(board.Command("ZCARD board")->integer == static_cast<long long>(standing.size()));

  // The top, and every page, the last of which is not full.
  CHECK(board.Page(0) == Slice(standing, 0, kPageSize));
  for (int page = 0; page <= kPlayers / kPageSize; page += 7) {
    CHECK(board.Page(page) == Slice(standing, static_cast<size_t>(page * kPageSize), kPageSize));
  }
  CHECK(board.Page(kPlayers).empty());

  // Everybody's rank and score, and the neighbours of one.
  for (size_t rank = 0; rank < standing.size(); rank += 97) {
    const std::string& player = standing[rank].player;
    CHECK(board.Command("ZREVRANK board %s", player.c_str())->integer == static_cast<long long>(rank));
    CHECK(board.Command("ZSCORE board %s", player.c_str())->str == std::to_string(standing[rank].score));
    CHECK(board.last_reply(player) == std::to_string(standing[rank].score));
  }
  const HiredisReply around = board.Command("ZRANGE board %d %d REV WITHSCORES", 498, 502);
  CHECK(Leaderboard::Rows(*around) == Slice(standing, 498, 5));
  CHECK(board.Command("ZREVRANK board nobody")->type == REDIS_REPLY_NIL);
}

TEST_CASE("ties on a leaderboard are in a known order and counted", "[hiredis][redis-ok]") {
  auto server = Launch();
  Leaderboard board(server->port());
  PlaySeason(board);
  const std::vector<Row> standing = board.Standing();
  const long score = standing[standing.size() / 2].score;
  std::vector<Row> tied;
  for (const Row& row : standing) {
    if (row.score == score) tied.push_back(row);
  }
  REQUIRE(tied.size() > 5);
  CHECK(board.Command("ZCOUNT board %ld %ld", score, score)->integer == static_cast<long long>(tied.size()));
  CHECK(Leaderboard::Rows(*board.Command("ZREVRANGEBYSCORE board %ld %ld WITHSCORES", score, score)) == tied);
  CHECK(Leaderboard::Rows(*board.Command("ZRANGE board %ld %ld BYSCORE REV LIMIT 2 3 WITHSCORES", score,
                                         score)) == Slice(tied, 2, 3));
  // How many are ahead is the rank of the first of those that are level.
  const long long ahead = board.Command("ZCOUNT board (%ld +inf", score)->integer;
  CHECK(board.Command("ZREVRANK board %s", tied[0].player.c_str())->integer == ahead);
}

TEST_CASE("a best score is only beaten by a better one", "[hiredis][redis-ok]") {
  auto server = Launch();
  Leaderboard board(server->port());
  CHECK(board.Command("ZADD best GT CH 100 ann 200 bob")->integer == 2);
  CHECK(board.Command("ZADD best GT CH 90 ann 210 bob")->integer == 1);
  CHECK(board.Command("ZADD best XX GT CH 500 nobody")->integer == 0);
  CHECK(Leaderboard::Rows(*board.Command("ZREVRANGE best 0 -1 WITHSCORES")) ==
        std::vector<Row>{{"bob", 210}, {"ann", 100}});
}

TEST_CASE("a season ends: winners are taken, the last go, the rest is kept", "[hiredis][redis-ok]") {
  auto server = Launch();
  Leaderboard board(server->port());
  PlaySeason(board);
  std::vector<Row> standing = board.Standing();

  CHECK(Leaderboard::Rows(*board.Command("ZPOPMAX board 3")) == Slice(standing, 0, 3));
  standing.erase(standing.begin(), standing.begin() + 3);
  CHECK(board.Command("ZRANGESTORE hall board 0 9 REV")->integer == 10);
  CHECK(Leaderboard::Rows(*board.Command("ZREVRANGE hall 0 -1 WITHSCORES")) == Slice(standing, 0, 10));

  CHECK(board.Command("ZREMRANGEBYRANK board 0 999")->integer == 1000);
  standing.resize(standing.size() - 1000);
  CHECK(board.Command("ZCARD board")->integer == static_cast<long long>(standing.size()));
  CHECK(Leaderboard::Rows(*board.Command("ZRANGE board 0 -1 REV WITHSCORES")) == standing);

  CHECK(board.Command("ZREMRANGEBYSCORE board -inf +inf")->integer ==
        static_cast<long long>(standing.size()));
  CHECK(board.Command("EXISTS board")->integer == 0);
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
