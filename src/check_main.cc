// pinyon-check: which of its names it was called by, and the exit code.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/alloc.h"
#include "check/pinyon_check.h"
#include "check/redis_check.h"

int main(int argc, char** argv) {
  pinyon::mem::RegisterThread();
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::string_view name = argc > 0 ? argv[0] : "";
  name.remove_prefix(name.rfind('/') + 1);  // (npos + 1 is 0)
  pinyon::FileSystem& fs = pinyon::FileSystem::Real();
  pinyon::Console console(stdin, stdout, stderr);
  const int code = name == "redis-check-rdb"   ? pinyon::RunRedisCheckRdb(fs, args, console)
                   : name == "redis-check-aof" ? pinyon::RunRedisCheckAof(fs, args, console)
                                               : pinyon::RunPinyonCheck(fs, args, console);
  if (console.ok()) return code;
  std::fputs("the report could not be written\n", stderr);
  return code != 0 ? code : 1;
}
