// A data directory that outlives the servers that use it, and values of every type to put there.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "integration/server_fixture.h"
#include "support/temporary_folder.h"

namespace pinyon::testing {

class DataFolder : public TemporaryFolder {
 public:
  std::filesystem::path operator/(const std::string& name) const { return At(name); }

  // A server whose data are here; `args` come last.
  std::unique_ptr<ServerProcess> Start(const std::string& binary, std::vector<std::string> args = {}) const {
    std::vector<std::string> all = {"--dir", path(), "--enable-debug-command", "yes"};
    all.insert(all.end(), args.begin(), args.end());
    return Launch({.binary = binary, .args = std::move(all)});
  }
};

// Puts values of every type and encoding into databases 0 and 5, some with expiries far away.
inline void FillWithEverything(RawClient& client) {
  const auto run = [&client](std::vector<std::string> command) {
    const Reply reply = client.Call(command);
    if (reply.IsError()) throw std::runtime_error(command[0] + ": " + reply.text);
  };
  const auto element = [](int i) {
    return i % 3 == 0 ? std::to_string(i * 37) : "element:" + std::to_string(i);
  };
  for (const char* database : {"0", "5"}) {
    run({"SELECT", database});
    run({"SET", "text", "hello"});
    run({"SET", "empty", ""});
    run({"SET", "int", "-9223372036854775808"});
    run({"SET", std::string("bin\0ary\r\n", 9), std::string("\0\r\n\xff", 4)});
    run({"SET", "compressible", std::string(100'000, 'c'), "PXAT", "4102444800123"});
    run({"SADD", "intset", "1", "-2", "70000", "7000000000"});
    run({"ZADD", "special", "inf", "a", "-inf", "b", "1e300", "c", "-0.1", "d"});
    run({"RPUSH", "large elements", "a", std::string(20'000, 'x'), "b", std::string(9'000, 'y')});
    for (const int count : {1, 100, 700, 5'000}) {
      for (const std::string name : {"RPUSH", "SADD", "ZADD", "HSET"}) {
        std::vector<std::string> command = {name, name + std::to_string(count)};
        for (int i = 0; i < count; ++i) {
          if (name == "ZADD") command.push_back(std::to_string(i % 50) + (i % 2 == 0 ? "" : ".125"));
          command.push_back(element(i));
          if (name == "HSET") command.push_back("value " + std::to_string(i));
        }
        run(command);
      }
    }
    run({"PEXPIREAT", "HSET100", "4102444800000"});
    for (int i = 0; i < 300; ++i) run({"SET", "key:" + std::to_string(i), std::to_string(i * i)});
  }
  run({"SELECT", "0"});
}

inline std::string Digest(ServerProcess& server) {
  return TextOf(server.Connect().Call({"DEBUG", "DIGEST"}));
}

// A field of INFO, "" if it is not there.
inline std::string FieldOf(const std::string& info, const std::string& name) {
  const std::string text = "\n" + info;
  const size_t at = text.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find('\r', begin) - begin);
}

inline std::string InfoField(RawClient& client, const std::string& section, const std::string& name) {
  return FieldOf(TextOf(client.Call({"INFO", section})), name);
}
// Of whatever section.
inline std::string InfoField(RawClient& client, const std::string& name) {
  return InfoField(client, "everything", name);
}

}  // namespace pinyon::testing
