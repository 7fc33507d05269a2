// A disk that fails on demand, under a whole server: tests/disk_shim is preloaded into it.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "integration/data_folder.h"

namespace pinyon::testing {

class FaultyDisk {
 public:
  // A server on this disk; `args` come last.
  std::unique_ptr<ServerProcess> Start(std::vector<std::string> args = {}) const {
    std::vector<std::string> all = {"--dir", data.path(), "--enable-debug-command", "yes"};
    all.insert(all.end(), args.begin(), args.end());
    const char* asan = std::getenv("ASAN_OPTIONS");
    return Launch({.args = std::move(all),
                   .environment = {"LD_PRELOAD=" PINYON_DISK_SHIM, "PINYON_DISK_FAULTS=" + control(),
                                   // (A sanitizer wants to be loaded first, but can do without.)
                                   "ASAN_OPTIONS=" + std::string(asan == nullptr ? "" : asan) +
                                       ":verify_asan_link_order=0"}});
  }
  // One kind of fault takes the place of another; each is seen whole.
  void Fail(const std::string& call, uint64_t value) const {
    std::ofstream(control() + ".new") << call << ' ' << value << '\n';
    std::filesystem::rename(control() + ".new", control());
  }
  void Mend() const { std::filesystem::remove(control()); }

  DataFolder data;

 private:
  // Not in the data folder, which tests look at.
  std::string control() const { return (folder_ / "faults").string(); }

  DataFolder folder_;
};

}  // namespace pinyon::testing
