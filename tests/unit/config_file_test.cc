// Reading configuration files: what counts as a line, how includes and `save` behave, and the report of a
// mistake.
#include "server/config_file.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "persist/persist_options.h"
#include "server/inert_settings.h"

namespace pinyon {
namespace {

struct ConfigFileFixture {
  int timeout_s = 0;
  int hz = 0;
  std::string requirepass;
  PersistOptions persist;
  InertSettings inert;
  SettingsRegistry registry;
  ConfigReader reader{&registry};
  std::filesystem::path folder;

  ConfigFileFixture() {
    registry.AddInteger("timeout", {.target = &timeout_s, .max = INT_MAX});
    registry.AddInteger("hz", {.target = &hz, .max = INT_MAX, .default_value = 10});
    registry.AddString("requirepass", {.target = &requirepass});
    persist.Declare(registry, {});
    inert.Declare(&registry);
    char folder_template[] = "/tmp/pinyon-config-XXXXXX";
    REQUIRE(mkdtemp(folder_template) != nullptr);
    folder = folder_template;
  }
  ~ConfigFileFixture() { std::filesystem::remove_all(folder); }

  std::string Path(const std::string& name) const { return (folder / name).string(); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  std::string Read(const std::string& text) { return reader.ReadText(text, "test.conf"); }
  std::string Save() const { return registry.GetOne("save"); }
};

std::string Report(const std::string& place, const std::string& line, const std::string& reason) {
  return "\n*** FATAL CONFIG FILE ERROR (Pinyon " PINYON_VERSION
         ") ***\nReading the configuration file, at line " +
         place + "\n>>> '" + line + "'\n" + reason;
}

TEST_CASE("Comments, blank lines, quotes and carriage returns", "[config_file]") {
  ConfigFileFixture f;
  CHECK(f.Read("# c\n\n  \t\r\n  Timeout 5 \r\nhz \"\\x32\\x30\"\nrequirepass 'a \\'b'\n#timeout 9\nsave 1 1 "
               "2 2") == "");
  CHECK(f.timeout_s == 5);
  CHECK(f.hz == 20);
  CHECK(f.requirepass == "a 'b");
  CHECK(f.Save() == "1 1 2 2");
  CHECK(f.Read("") == "");
}

TEST_CASE("A mistake is reported with its line, file and reason", "[config_file]") {
  ConfigFileFixture f;
  CHECK(f.Read("# c\n\n  foo bar \n") ==
        Report("3 of test.conf", "foo bar", "Bad directive or wrong number of arguments"));
  CHECK(f.Read("timeout \"1") ==
        Report("1 of test.conf", "timeout \"1", "Unbalanced quotes in configuration line"));
  CHECK(f.Read("timeout \"1\"x") ==
        Report("1 of test.conf", "timeout \"1\"x", "Unbalanced quotes in configuration line"));
  CHECK(f.Read("include") ==
        Report("1 of test.conf", "include", "Bad directive or wrong number of arguments"));
  CHECK(f.Read("timeout 5 # x") == Report("1 of test.conf", "timeout 5 # x", "wrong number of arguments"));
  CHECK(f.Read("sentinel monitor a") ==
        Report("1 of test.conf", "sentinel monitor a", "sentinel directive while not in sentinel mode"));
  CHECK(f.reader.ReadFile("/nonexistent.conf") ==
        "Fatal error, can't open config file '/nonexistent.conf': No such file or directory");
  CHECK(f.reader.ReadFile(f.folder.string()) ==
        "Fatal error, can't open config file '" + f.folder.string() + "': Is a directory");
}

TEST_CASE("Includes are read where they stand", "[config_file]") {
  ConfigFileFixture f;
  const std::string inner = f.Write("inner.conf", "hz 20\ntimeout 20\n");
  CHECK(f.Read("hz 1\ntimeout 1\ninclude " + inner + "\ntimeout 2\n") == "");
  CHECK(f.hz == 20);
  CHECK(f.timeout_s == 2);

  f.Write("10.conf", "hz 30");
  f.Write("20.conf", "hz 40");
  CHECK(f.Read("INCLUDE " + f.Path("[0-9]*.conf")) == "");
  CHECK(f.hz == 40);
  CHECK(f.Read("include " + f.Path("none*.conf")) == "");
  CHECK(f.Read("include " + f.Path("none.conf")) ==
        "Fatal error, can't open config file '" + f.Path("none.conf") + "': No such file or directory");

  const std::string bad = f.Write("bad.conf", "hz 5\nhz abc\n");
  CHECK(f.Read("include " + bad) ==
        Report("2 of " + bad, "hz abc", "argument couldn't be parsed into an integer"));
}

TEST_CASE("A file that includes itself is refused", "[config_file]") {
  ConfigFileFixture f;
  const std::string path = f.Path("self.conf");
  f.Write("self.conf", "include " + path + "\n");
  CHECK(f.reader.ReadFile(path) ==
        Report("1 of " + path, "include " + path, "include nested more than 16 deep"));
}

// Probed: the first `save` of a source, or after an include, replaces what was there.
TEST_CASE("Save points accumulate within a source", "[config_file]") {
  ConfigFileFixture f;
  CHECK(f.Save() == "3600 1 300 100 60 10000");
  CHECK(f.Read("save 1 1\ntimeout 5\n\nsave 3 3") == "");
  CHECK(f.Save() == "1 1 3 3");
  const std::string inner = f.Write("save.conf", "save 2 2\n");
  CHECK(f.Read("save 1 1\ninclude " + inner) == "");
  CHECK(f.Save() == "2 2");
  CHECK(f.Read("save 1 1\ninclude " + inner + "\nsave 3 3") == "");
  CHECK(f.Save() == "3 3");
  CHECK(f.Read("save 1 1\nsave \"\"\nsave 4 4") == "");
  CHECK(f.Save() == "4 4");
  CHECK(f.Read("save '5 5  6 6'") == "");
  CHECK(f.Save() == "4 4 5 5 6 6");
  CHECK(f.Read("save") == "");
  CHECK(f.Save() == "");
  CHECK(f.Read("save 1") == Report("1 of test.conf", "save 1", "Invalid save parameters"));
  CHECK(f.Read("save 0 1") == Report("1 of test.conf", "save 0 1", "Invalid save parameters"));
}

TEST_CASE("Configuration is read from a descriptor", "[config_file]") {
  ConfigFileFixture f;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const std::string_view text = "timeout 11\nhz x\n";
  REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(ends[1]);
  CHECK(f.reader.ReadDescriptor(ends[0], "standard input") ==
        Report("2 of standard input", "hz x", "argument couldn't be parsed into an integer"));
  close(ends[0]);
  CHECK(f.timeout_s == 11);
}

}  // namespace
}  // namespace pinyon
