#include "persist/aof_directory.h"

#include <catch2/catch.hpp>
#include <string>

#include "persist_fixture.h"

namespace pinyon {
namespace {

using Found = AofDirectory::Found;

const std::string kManifest = "appendonlydir/appendonly.aof.manifest";

struct Disk {
  AofDirectory Make() { return AofDirectory(fs, {folder.path(), "appendonlydir", "appendonly.aof"}); }
  std::string ErrorOfFind() {
    AofDirectory directory = Make();
    std::string error;
    CHECK((directory.Find(&error) == Found::kError));
    return error;
  }

  TestFolder folder;
  FaultyFileSystem fs;
};

TEST_CASE("an empty folder gets a log") {
  Disk disk;
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  CHECK(file.path() == disk.folder.At("appendonlydir/appendonly.aof.1.incr.aof"));
  CHECK(disk.folder.Get(kManifest) == "file appendonly.aof.1.incr.aof seq 1 type i\n");
  CHECK_FALSE(disk.folder.Has("appendonlydir/temp-appendonly.aof.manifest"));

  AofDirectory again = disk.Make();
  REQUIRE((again.Find(&error) == Found::kManifest));
  REQUIRE_FALSE(again.OpenForAppend(&file));
  CHECK(file.path() == disk.folder.At("appendonlydir/appendonly.aof.1.incr.aof"));
}

TEST_CASE("a rewrite replaces the base and deletes what it stands for") {
  Disk disk;
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  int64_t seq = 0;
  std::function<FileError()> publish;
  REQUIRE_FALSE(directory.PrepareIncremental(&file, &seq, &publish));
  CHECK(seq == 2);
  CHECK(disk.folder.Get(kManifest) == "file appendonly.aof.1.incr.aof seq 1 type i\n");
  REQUIRE_FALSE(publish());
  CHECK(disk.folder.Get(kManifest) ==
        "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n");

  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-7.aof", "base");
  REQUIRE_FALSE(directory.CommitRewrite(directory.TemporaryBasePath(7), true, seq));
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.1.base.rdb") == "base");
  CHECK(disk.folder.Get(kManifest) ==
        "file appendonly.aof.1.base.rdb seq 1 type b\n"
        "file appendonly.aof.1.incr.aof seq 1 type h\n"
        "file appendonly.aof.2.incr.aof seq 2 type i\n");
  uint64_t bytes = 0;
  REQUIRE_FALSE(directory.TotalBytes(&bytes));
  CHECK(bytes == 4);
  REQUIRE_FALSE(directory.DeleteHistory());
  CHECK_FALSE(disk.folder.Has("appendonlydir/appendonly.aof.1.incr.aof"));
  CHECK(disk.folder.Get(kManifest) ==
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n");
}

TEST_CASE("an older manifest never takes the place of a newer one") {
  Disk disk;
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  int64_t seq = 0;
  std::function<FileError()> publish;
  REQUIRE_FALSE(directory.PrepareIncremental(&file, &seq, &publish));
  // The rewrite is done before the log's thread came to publish its file.
  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-7.aof", "base");
  REQUIRE_FALSE(directory.CommitRewrite(directory.TemporaryBasePath(7), false, seq));
  const std::string manifest = disk.folder.Get(kManifest);
  CHECK(manifest.find("appendonly.aof.1.base.aof seq 1 type b") != manifest.npos);
  CHECK(manifest.find("appendonly.aof.2.incr.aof seq 2 type i") != manifest.npos);
  REQUIRE_FALSE(publish());
  CHECK(disk.folder.Get(kManifest) == manifest);
}

TEST_CASE("a rewrite that cannot be committed changes nothing") {
  Disk disk;
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  const std::string manifest = disk.folder.Get(kManifest);
  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-7.aof", "base");
  SECTION("rename") { disk.fs.rename_error = EACCES; }
  SECTION("write of the manifest") { disk.fs.write_error = ENOSPC; }
  SECTION("sync") { disk.fs.sync_error = EIO; }
  CHECK(directory.CommitRewrite(directory.TemporaryBasePath(7), true, 1));
  CHECK(disk.folder.Get(kManifest) == manifest);
  CHECK(directory.manifest().Print() == manifest);
  disk.fs.rename_error = disk.fs.write_error = disk.fs.sync_error = 0;
  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-8.aof", "another");
  CHECK_FALSE(directory.CommitRewrite(directory.TemporaryBasePath(8), true, 1));
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.1.base.rdb") == "another");
}

TEST_CASE("a single file of Redis 6 is taken over") {
  Disk disk;
  disk.folder.Put("appendonly.aof", "old");
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kSingleFile));
  CHECK(disk.folder.Get("appendonly.aof") == "old");  // only looked at so far
  CHECK_FALSE(disk.folder.Has("appendonlydir"));

  SECTION("at once") { REQUIRE(directory.Upgrade(&error)); }
  SECTION("after a crash between manifest and move") {
    disk.fs.rename_error = EIO;
    CHECK_FALSE(directory.Upgrade(&error));
    CHECK(disk.folder.Get("appendonly.aof") == "old");
    disk.fs.rename_error = 0;
    disk.folder.Put(kManifest, "file appendonly.aof seq 1 type b\n");
    REQUIRE((directory.Find(&error) == Found::kSingleFile));
    REQUIRE(directory.Upgrade(&error));
  }
  CHECK_FALSE(disk.folder.Has("appendonly.aof"));
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof") == "old");
  CHECK(disk.folder.Get(kManifest) == "file appendonly.aof seq 1 type b\n");
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  CHECK(disk.folder.Get(kManifest) ==
        "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n");
}

TEST_CASE("a manifest is preferred to a single file, which is left alone") {
  Disk disk;
  disk.folder.Put("appendonly.aof", "old");
  disk.folder.Put(kManifest, "file appendonly.aof seq 1 type b\n");
  disk.folder.Put("appendonlydir/appendonly.aof", "newer");
  AofDirectory directory = disk.Make();
  std::string error;
  CHECK((directory.Find(&error) == Found::kManifest));
  CHECK(disk.folder.Get("appendonly.aof") == "old");
}

TEST_CASE("two single files are for somebody to sort out") {
  Disk disk;
  disk.folder.Put("appendonly.aof", "old");
  disk.folder.Put("appendonlydir/appendonly.aof", "which?");
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kSingleFile));
  CHECK_FALSE(directory.Upgrade(&error));
  CHECK_THAT(error, Catch::EndsWith("are both there, and no manifest says which is to be read"));
  CHECK(disk.folder.Get("appendonly.aof") == "old");
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof") == "which?");
  CHECK_FALSE(disk.folder.Has(kManifest));
}

TEST_CASE("what is wrong with a folder is told with the file") {
  Disk disk;
  SECTION("a manifest that is damaged") {
    disk.folder.Put(kManifest, "file a seq 1 type x\n");
    CHECK(disk.ErrorOfFind() == disk.folder.At(kManifest) + ": line 1: \"x\" is no type of file (b, i or h)");
  }
  SECTION("a file that is missing") {
    disk.folder.Put(kManifest, "file a seq 1 type i\n");
    CHECK(disk.ErrorOfFind() == disk.folder.At(kManifest) + ": a is listed, but is not there");
  }
  SECTION("a manifest that is missing") {
    disk.folder.Put("appendonlydir/appendonly.aof.3.incr.aof", "data");
    CHECK(disk.ErrorOfFind() == disk.folder.At("appendonlydir/appendonly.aof.3.incr.aof") +
                                    " lies there, but the manifest " + disk.folder.At(kManifest) +
                                    " does not");
  }
}

TEST_CASE("files that no manifest names are neither read nor overwritten") {
  Disk disk;
  disk.folder.Put("appendonlydir/appendonly.aof.4.base.rdb", "left over");
  disk.folder.Put("appendonlydir/appendonly.aof.2.incr.aof", "");
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  CHECK(file.path() == disk.folder.At("appendonlydir/appendonly.aof.3.incr.aof"));
  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-7.aof", "base");
  REQUIRE_FALSE(directory.CommitRewrite(directory.TemporaryBasePath(7), true, 3));
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.4.base.rdb") == "left over");
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.5.base.rdb") == "base");

  disk.folder.Put("appendonlydir/appendonly.aof.4.incr.aof", "not ours");
  int64_t seq = 0;
  std::function<FileError()> publish;
  REQUIRE_FALSE(directory.PrepareIncremental(&file, &seq, &publish));
  CHECK(seq == 5);
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.4.incr.aof") == "not ours");
}

TEST_CASE("a log that is turned on is an older state of the data until its first rewrite is done") {
  Disk disk;
  const std::string old =
      "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
  disk.folder.Put(kManifest, old);
  disk.folder.Put("appendonlydir/appendonly.aof.1.base.rdb", "old base");
  disk.folder.Put("appendonlydir/appendonly.aof.1.incr.aof", "old bytes");
  AofDirectory directory = disk.Make();
  std::string error;
  REQUIRE((directory.Find(&error) == Found::kManifest));
  File file;
  REQUIRE_FALSE(directory.PrepareTurnOn(&file));
  REQUIRE_FALSE(file.WriteAll("lost"));
  REQUIRE_FALSE(directory.PrepareTurnOn(&file));  // the rewrite failed and is begun again
  REQUIRE_FALSE(file.WriteAll("new "));
  CHECK(disk.folder.Get(kManifest) == old);
  disk.folder.Put("appendonlydir/temp-rewriteaof-bg-7.aof", "new base");
  REQUIRE_FALSE(directory.CommitTurnOn(directory.TemporaryBasePath(7), true));
  REQUIRE_FALSE(file.WriteAll("bytes"));
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.2.base.rdb") == "new base");
  CHECK(disk.folder.Get("appendonlydir/appendonly.aof.2.incr.aof") == "new bytes");
  REQUIRE_FALSE(directory.DeleteHistory());
  CHECK(disk.folder.Get(kManifest) ==
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n");
  CHECK_FALSE(disk.folder.Has("appendonlydir/appendonly.aof.1.incr.aof"));
  CHECK_FALSE(disk.folder.Has("appendonlydir/temp-appendonly.aof.incr"));
}

}  // namespace
}  // namespace pinyon
