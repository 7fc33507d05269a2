#include "persist/aof_manifest.h"

#include <catch2/catch.hpp>
#include <string>

namespace pinyon {
namespace {

constexpr std::string_view kBoth =
    "file appendonly.aof.1.base.rdb seq 1 type b\n"
    "file appendonly.aof.1.incr.aof seq 1 type i\n";

// "" when it is accepted.
std::string ErrorOf(std::string_view text) {
  AofManifest manifest;
  std::string error;
  const bool ok = manifest.Parse(text, &error);
  CHECK(ok == error.empty());
  if (!ok) CHECK(manifest.empty());
  return error;
}

TEST_CASE("a manifest of Redis is read and printed back") {
  AofManifest manifest;
  std::string error;
  REQUIRE(manifest.Parse(kBoth, &error));
  REQUIRE(manifest.base());
  CHECK(*manifest.base() == AofFile{"appendonly.aof.1.base.rdb", 1, AofFileType::kBase});
  REQUIRE(manifest.incrementals().size() == 1);
  CHECK(manifest.incrementals()[0] == AofFile{"appendonly.aof.1.incr.aof", 1, AofFileType::kIncremental});
  CHECK(manifest.Print() == kBoth);
}

TEST_CASE("what Redis reads is read") {
  const std::string both(kBoth);
  CHECK(ErrorOf("# a comment\n" + both).empty());
  CHECK(ErrorOf("#\n").empty());  // no file: the log is new
  CHECK(ErrorOf("file a.aof seq 1 type b\r\n").empty());
  CHECK(ErrorOf("type b seq 1 file a.aof\n").empty());
  CHECK(ErrorOf("FILE a.aof SEQ 1 TYPE b\n").empty());
  CHECK(ErrorOf("  file   a.aof\tseq 1 type b  \n").empty());
  CHECK(ErrorOf("file \"a \\\"b\\\".aof\" seq 1 type b\n").empty());
  CHECK(ErrorOf("file a.aof seq 1 type b startoffset 10 endoffset 20\n").empty());
  CHECK(ErrorOf("file a.1 seq 1 type i\nfile a.b seq 1 type b\n").empty());
  CHECK(ErrorOf("file a.1 seq 3 type i\nfile a.2 seq 7 type i\n").empty());
  CHECK(ErrorOf("file a.1 seq 3 type h\nfile a.2 seq 2 type h\n").empty());
  CHECK(ErrorOf("#" + std::string(1022, 'x') + "\n" + both).empty());
}

TEST_CASE("what Redis refuses is refused with line and reason") {
  const std::string both(kBoth);
  CHECK(ErrorOf("") == "the manifest is empty");
  CHECK(ErrorOf("\n") == "line 1: the line is blank");
  CHECK(ErrorOf(both + "\n") == "line 3: the line is blank");
  CHECK(ErrorOf(both + "file x seq 2 type i") ==
        "line 3: the last line has no end: the manifest was cut off");
  CHECK(ErrorOf("file b seq 1 type b\nfile c seq 2 type b\n") == "line 2: there is a base file already");
  CHECK(ErrorOf(both + "file a seq 1 type i\n") == "line 3: sequence numbers must grow: 1 after 1");
  CHECK(ErrorOf("file a seq 5 type i\nfile b seq 4 type i\n") ==
        "line 2: sequence numbers must grow: 4 after 5");
  CHECK(ErrorOf("file a seq 1 type x\n") == "line 1: \"x\" is no type of file (b, i or h)");
  CHECK(ErrorOf("file s/a seq 1 type b\n") == "line 1: a file must be given by its name, not by a path");
  CHECK(ErrorOf("file a seq 0 type b\n") == "line 1: \"0\" is no sequence number");
  CHECK(ErrorOf("file a seq abc type b\n") == "line 1: \"abc\" is no sequence number");
  CHECK(ErrorOf("file a type b\n") == "line 1: seq is missing");
  CHECK(ErrorOf("file a seq 1\n") == "line 1: type is missing");
  CHECK(ErrorOf("seq 1 type b\n") == "line 1: file is missing");
  CHECK(ErrorOf("file a seq 1 type\n") == "line 1: a key has no value");
  CHECK(ErrorOf("file \"a seq 1 type b\n") == "line 1: a quote is not closed");
  CHECK(ErrorOf(" # x\n" + both) == "line 1: file is missing");
  CHECK(ErrorOf("#" + std::string(1023, 'x') + "\n" + both) == "line 1: the line is too long");
  CHECK(ErrorOf("file " + std::string(2000, 'x') + " seq 1 type b\n") == "line 1: the line is too long");
  CHECK(ErrorOf(std::string("file a seq 1 type b\0\n", 21)) == "line 1: the line has a zero byte");
}

TEST_CASE("what no Redis writes is refused") {
  CHECK(ErrorOf("file a seq -1 type b\n") == "line 1: \"-1\" is no sequence number");
  CHECK(ErrorOf("file a seq 1x type b\n") == "line 1: \"1x\" is no sequence number");
  CHECK(ErrorOf("file a seq 99999999999999999999 type b\n") ==
        "line 1: \"99999999999999999999\" is no sequence number");
  CHECK(ErrorOf("file a seq 9223372036854775807 type i\n") ==
        "line 1: \"9223372036854775807\" is no sequence number");
  CHECK(ErrorOf("file a seq 1 type base\n") == "line 1: \"base\" is no type of file (b, i or h)");
  CHECK(ErrorOf("file a seq 1 type b\nfile a seq 1 type i\n") == "line 2: the file is listed already");
  CHECK(ErrorOf("file .. seq 1 type b\n") == "line 1: a folder is no file of a log");
  CHECK(ErrorOf("file \"\" seq 1 type b\n") == "line 1: a file's name is empty");
  CHECK(ErrorOf("file \"a\\x00b\" seq 1 type b\n") == "line 1: a file's name has a zero byte");
}

TEST_CASE("a manifest that is refused leaves the old one") {
  AofManifest manifest;
  std::string error;
  REQUIRE(manifest.Parse(kBoth, &error));
  CHECK_FALSE(manifest.Parse("file a seq 1 type x\n", &error));
  CHECK(manifest.Print() == kBoth);
}

TEST_CASE("names are quoted as Redis quotes them") {
  const auto name_of = [](const std::string& file_name) {
    AofManifest manifest(file_name);
    manifest.AddIncremental();
    const std::string text = manifest.Print();
    AofManifest again(file_name);
    std::string error;
    REQUIRE(again.Parse(text, &error));
    CHECK(again.incrementals() == manifest.incrementals());
    return text.substr(5, text.find(" seq ") - 5);
  };
  CHECK(name_of("a b.aof") == "\"a b.aof.1.incr.aof\"");
  CHECK(name_of("a'b") == "\"a'b.1.incr.aof\"");
  CHECK(name_of("a\"b") == "\"a\\\"b.1.incr.aof\"");
  CHECK(name_of("caf\xc3\xa9") == "\"caf\\xc3\\xa9.1.incr.aof\"");
  CHECK(name_of("#x") == "#x.1.incr.aof");
  CHECK(name_of("x\x01y") == "\"x\\x01y.1.incr.aof\"");
}

TEST_CASE("a log grows, is rewritten, and forgets") {
  AofManifest manifest;
  CHECK(manifest.ManifestName() == "appendonly.aof.manifest");
  manifest.ReplaceBase(true, 1);
  manifest.AddIncremental();
  CHECK(manifest.Print() == kBoth);

  // A rewrite that fails leaves one more incremental file; the next one makes up for both.
  CHECK(manifest.AddIncremental().name == "appendonly.aof.2.incr.aof");
  const int64_t first = manifest.AddIncremental().seq;
  CHECK(first == 3);
  CHECK(manifest.ReplaceBase(false, first).name == "appendonly.aof.2.base.aof");
  CHECK(manifest.Print() ==
        "file appendonly.aof.2.base.aof seq 2 type b\n"
        "file appendonly.aof.1.base.rdb seq 1 type h\n"
        "file appendonly.aof.1.incr.aof seq 1 type h\n"
        "file appendonly.aof.2.incr.aof seq 2 type h\n"
        "file appendonly.aof.3.incr.aof seq 3 type i\n");
  CHECK(manifest.Files().size() == 2);
  std::string error;
  AofManifest again;
  REQUIRE(again.Parse(manifest.Print(), &error));
  again.ForgetHistory();
  CHECK(again.Print() ==
        "file appendonly.aof.2.base.aof seq 2 type b\n"
        "file appendonly.aof.3.incr.aof seq 3 type i\n");
  CHECK(again.NextIncrementalName() == "appendonly.aof.4.incr.aof");
}

TEST_CASE("a single file becomes the base") {
  AofManifest manifest;
  manifest.AdoptSingleFile();
  CHECK(manifest.Print() == "file appendonly.aof seq 1 type b\n");
  CHECK(manifest.NextBaseName(true) == "appendonly.aof.2.base.rdb");
}

}  // namespace
}  // namespace pinyon
