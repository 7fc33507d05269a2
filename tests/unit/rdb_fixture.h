// Commands, with what tests of the RDB format need beside them: payloads made by hand, and questions about
// what became of them.
#pragma once

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/crc64.h"
#include "command_fixture.h"

namespace pinyon {

// A length as RDB files have it.
inline std::string RdbLength(uint64_t length) {
  if (length < 64) return std::string(1, static_cast<char>(length));
  if (length < 16384) return {static_cast<char>(0x40 | length >> 8), static_cast<char>(length)};
  std::string bytes = "\x80";
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift);
  return bytes;
}

inline std::string RdbString(std::string_view text) { return RdbLength(text.size()) + std::string(text); }

template <typename T>
std::string RdbFixed(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// A DUMP payload of a value code and what stands behind it.
inline std::string RdbPayload(uint8_t code, std::string_view value, uint16_t version = 10) {
  std::string payload(1, static_cast<char>(code));
  payload.append(value).append(RdbFixed(version));
  return payload + RdbFixed(Crc64(0, payload.data(), payload.size()));
}
// The value in a payload, without its code and footer.
inline std::string RdbValueOf(const std::string& payload) { return payload.substr(1, payload.size() - 11); }
inline uint8_t RdbCodeOf(const std::string& payload) { return static_cast<uint8_t>(payload[0]); }
inline int RdbVersionOf(const std::string& payload) { return payload[payload.size() - 10]; }

class RdbFixture : public CommandFixture {
 public:
  static constexpr const char* kOk = "+OK\r\n";
  static constexpr const char* kBadData = "-ERR Bad data format\r\n";

  RdbFixture() { options.enable_debug_command = EngineOptions::Permission::kYes; }

  // The text of a bulk reply.
  std::string Text(std::initializer_list<std::string_view> args) {
    const std::string reply = Do(args);
    if (reply.empty() || reply[0] != '$') return reply;
    const size_t start = reply.find("\r\n") + 2;
    return reply.size() < start + 2 ? "(null)" : reply.substr(start, reply.size() - start - 2);
  }
  std::string Dump(std::string_view key) { return Text({"DUMP", key}); }
  std::string Restore(std::string_view key, std::string_view payload) {
    return Do({"RESTORE", key, "0", payload, "REPLACE"});
  }
  std::string RestoreValue(std::string_view key, uint8_t code, std::string_view value,
                           uint16_t version = 10) {
    return Restore(key, RdbPayload(code, value, version));
  }
  std::string EncodingOf(std::string_view key) { return Text({"OBJECT", "ENCODING", key}); }
  std::string Digest(std::string_view key) { return Do({"DEBUG", "DIGEST-VALUE", key}); }
  std::string Digest() { return Do({"DEBUG", "DIGEST"}); }

  // One key of every type and encoding; their names are "string:raw", "hash:listpack", ...
  void FillAllEncodings() {
    Run("SET string:int 1234567890123");
    Run("SET string:embstr short");
    Do({"SET", "string:raw", std::string(300, 'r') + "end"});
    Do({"SET", "string:block", std::string(20000, 'b') + "end"});
    Do({"SET", "string:binary", std::string_view("\0\xff\r\n\x80 ", 6)});
    Run("SET string:empty x");
    Do({"SET", "string:empty", ""});
    Fill("RPUSH", "list:listpack", 20);
    Fill("RPUSH", "list:quicklist", 3000);
    Do({"RPUSH", "list:quicklist", std::string(30000, 'p')});
    Fill("RPUSH", "list:quicklist", 500);
    for (int i = 0; i < 40; ++i) Do({"SADD", "set:intset", std::to_string(i * i * i * 7)});
    Fill("SADD", "set:listpack", 30);
    Fill("SADD", "set:hashtable", 700);
    Fill("ZADD", "zset:listpack", 30);
    Fill("ZADD", "zset:skiplist", 700);
    Run("ZADD zset:listpack inf top -inf bottom 1.5 half -0.0 zero 1e300 huge");
    Fill("HSET", "hash:listpack", 30);
    Fill("HSET", "hash:hashtable", 700);
    Fill("HSET", "hash:listpackex", 30);
    Run("HPEXPIREAT hash:listpackex 1800000000000 FIELDS 2 element:3 element:7");
    Run("HPEXPIREAT hash:listpackex 1700000900000 FIELDS 1 9");
    Fill("HSET", "hash:expiring", 700);
    Run("HPEXPIREAT hash:expiring 1800000000000 FIELDS 2 element:3 element:7");
    Run("HPEXPIREAT hash:expiring 1900000000000 FIELDS 1 element:8");
  }
  static const std::vector<std::string>& AllEncodings() {
    static const std::vector<std::string> names = {
        "string:int",      "string:embstr", "string:raw",     "string:block",  "string:binary",
        "string:empty",    "list:listpack", "list:quicklist", "set:intset",    "set:listpack",
        "set:hashtable",   "zset:listpack", "zset:skiplist",  "hash:listpack", "hash:hashtable",
        "hash:listpackex", "hash:expiring"};
    return names;
  }
  // Texts and integers in turn.
  void Fill(std::string_view command, std::string_view key, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = i % 3 == 0 ? std::to_string(i) : "element:" + std::to_string(i);
      if (command == "HSET") {
        Do({command, key, name, "value " + std::to_string(i)});
      } else if (command == "ZADD") {
        Do({command, key, std::to_string(i % 10) + (i % 2 == 0 ? "" : ".25"), name});
      } else {
        Do({command, key, name});
      }
    }
  }
};

}  // namespace pinyon
