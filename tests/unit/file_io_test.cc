#include "persist/file_io.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "persist_fixture.h"

namespace pinyon {
namespace {

TEST_CASE("an error says what was done, to what, and why") {
  const TestFolder folder;
  File file;
  const FileError error = File::OpenToRead(FileSystem::Real(), folder.At("missing"), &file);
  REQUIRE(error);
  CHECK(error.code() == ENOENT);
  CHECK(error.Text() == "open " + folder.At("missing") + ": No such file or directory");
  CHECK_FALSE(FileError());
  CHECK(FileError().Text().empty());
}

TEST_CASE("a folder is no file to read") {
  const TestFolder folder;
  std::string bytes;
  CHECK(ReadWholeFile(FileSystem::Real(), folder.path(), 100, &bytes).code() == EISDIR);
}

TEST_CASE("a file is replaced whole, or not at all") {
  const TestFolder folder;
  FaultyFileSystem fs;
  folder.Put("x", "old");
  const auto write = [&] { return WriteFileDurably(fs, folder.At("x"), folder.At("temp-x"), "the new one"); };

  SECTION("without an error") {
    CHECK_FALSE(write());
    CHECK(folder.Get("x") == "the new one");
    CHECK_FALSE(folder.Has("temp-x"));
    CHECK(fs.syncs == 2);  // the file and its folder
  }
  SECTION("a write fails half way") {
    fs.write_error = ENOSPC;
    fs.write_takes = 4;
    CHECK(write().code() == ENOSPC);
    CHECK(folder.Get("x") == "old");
    CHECK_FALSE(folder.Has("temp-x"));
  }
  SECTION("a sync fails") {
    fs.sync_error = EIO;
    CHECK(write().code() == EIO);
    CHECK(folder.Get("x") == "old");
    CHECK(fs.syncs == 1);  // not tried again
  }
  SECTION("a rename fails") {
    fs.rename_error = EACCES;
    CHECK(write().code() == EACCES);
    CHECK(folder.Get("x") == "old");
    CHECK_FALSE(folder.Has("temp-x"));
  }
}

TEST_CASE("a short write is told with what was written") {
  const TestFolder folder;
  FaultyFileSystem fs;
  File file;
  REQUIRE_FALSE(File::OpenToAppend(fs, folder.At("x"), &file));
  fs.write_error = ENOSPC;
  fs.write_takes = 3;
  size_t written;
  CHECK(file.WriteAll("12345", &written).code() == ENOSPC);
  CHECK(written == 3);
  CHECK_FALSE(file.Truncate(0));
  CHECK(folder.Get("x").empty());
}

TEST_CASE("a folder is made once, and only where none can be confused with it") {
  const TestFolder folder;
  FaultyFileSystem fs;
  CHECK_FALSE(MakeFolder(fs, folder.At("a")));
  CHECK(fs.syncs == 1);
  CHECK_FALSE(MakeFolder(fs, folder.At("a")));
  CHECK(fs.syncs == 1);
  folder.Put("b", "");
  CHECK(MakeFolder(fs, folder.At("b")).code() == ENOTDIR);
  CHECK(MakeFolder(fs, folder.At("c/d")).code() == ENOENT);
}

TEST_CASE("a file is read up to a limit") {
  const TestFolder folder;
  folder.Put("x", std::string(10000, 'x'));
  std::string bytes;
  CHECK_FALSE(ReadWholeFile(FileSystem::Real(), folder.At("x"), 10000, &bytes));
  CHECK(bytes.size() == 10000);
  CHECK(ReadWholeFile(FileSystem::Real(), folder.At("x"), 9999, &bytes).code() == EFBIG);
}

TEST_CASE("a writer of large files buffers, syncs on the way, and keeps its first error") {
  const TestFolder folder;
  FaultyFileSystem fs;
  File file;
  REQUIRE_FALSE(File::OpenToAppend(fs, folder.At("x"), &file));
  FileWriter writer(std::move(file), 256 * 1024);
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece(static_cast<size_t>(i % 700), static_cast<char>('a' + i % 26));
    expected += piece;
    REQUIRE(writer.Write(piece));
  }
  expected += std::string(100000, 'L');
  REQUIRE(writer.Write(std::string(100000, 'L')));
  CHECK(fs.writes < 40);
  CHECK(fs.syncs >= 2);
  SECTION("to the end") {
    CHECK_FALSE(writer.Finish());
    CHECK(folder.Get("x") == expected);
    CHECK(writer.bytes() == expected.size());
  }
  SECTION("until the disk is full") {
    fs.write_error = ENOSPC;
    CHECK_FALSE(writer.Write(std::string(100000, 'x')));
    fs.write_error = 0;
    CHECK_FALSE(writer.Write("y"));
    CHECK(writer.Finish().code() == ENOSPC);
  }
}

}  // namespace
}  // namespace pinyon
