// ByteSink and ByteSource: what goes in comes out, counted and summed; errors stay.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>
#include <string>

#include "base/crc64.h"
#include "base/random.h"
#include "persist/byte_sink.h"
#include "persist/byte_source.h"

namespace pinyon {

namespace {

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
  return bytes;
}

class TemporaryFile {
 public:
  TemporaryFile() : file_(std::tmpfile()) { REQUIRE(file_ != nullptr); }
  ~TemporaryFile() { std::fclose(file_); }
  int fd() const { return ::fileno(file_); }
  void Rewind() { REQUIRE(::lseek(fd(), 0, SEEK_SET) == 0); }

 private:
  std::FILE* file_;
};

}  // namespace

TEST_CASE("byte streams: pieces of every size go through a file") {
  Random random(Catch::rngSeed());
  const std::string bytes = RandomBytes(random, 1'500'000);
  TemporaryFile file;
  FileSink sink(file.fd());
  sink.set_sync_every(400'000);
  size_t at = 0;
  while (at < bytes.size()) {
    if (random.Below(4) == 0) {
      sink.WriteByte(static_cast<uint8_t>(bytes[at++]));
    } else {
      const size_t most = random.Below(10) == 0 ? 600'000 : 3000;
      const size_t size = std::min<size_t>(bytes.size() - at, random.Below(most));
      sink.Write(std::string_view(bytes).substr(at, size));
      at += size;
    }
    REQUIRE(sink.offset() == at);
    if (random.Below(100) == 0) REQUIRE(sink.Checksum() == Crc64(0, bytes.data(), at));
  }
  REQUIRE(sink.Flush());
  CHECK(sink.Checksum() == Crc64(0, bytes.data(), bytes.size()));

  file.Rewind();
  FileSource source(file.fd());
  std::string read;
  while (read.size() < bytes.size()) {
    const size_t left = bytes.size() - read.size();
    REQUIRE(source.Left() == left);
    REQUIRE(source.offset() == read.size());
    const size_t size = std::min<size_t>(left, random.Below(random.Below(10) == 0 ? 600'000 : 3000));
    switch (random.Below(4)) {
      case 0: {
        uint8_t byte = 0;
        REQUIRE(source.ReadByte(&byte));
        read += static_cast<char>(byte);
        break;
      }
      case 1: {
        if (size > ByteSource::kMaxBorrowBytes) break;
        const uint8_t* borrowed = source.Borrow(size);
        REQUIRE(borrowed != nullptr);
        read.append(reinterpret_cast<const char*>(borrowed), size);
        break;
      }
      case 2: {
        std::string piece;
        REQUIRE(source.ReadString(size, &piece));
        read += piece;
        break;
      }
      default: {
        const size_t start = read.size();
        read.resize(start + size);
        REQUIRE(source.Read(read.data() + start, size));
      }
    }
    if (random.Below(100) == 0) REQUIRE(source.Checksum() == Crc64(0, read.data(), read.size()));
  }
  CHECK((read == bytes));
  CHECK(source.Checksum() == Crc64(0, bytes.data(), bytes.size()));
  uint8_t byte;
  CHECK_FALSE(source.failed());
  CHECK_FALSE(source.ReadByte(&byte));
  CHECK(source.failed());
  CHECK(source.error() == 0);
}

TEST_CASE("byte streams: a source tells where it is from where the file stood") {
  TemporaryFile file;
  REQUIRE(::write(file.fd(), "0123456789", 10) == 10);
  REQUIRE(::lseek(file.fd(), 4, SEEK_SET) == 4);
  FileSource source(file.fd());
  CHECK(source.offset() == 4);
  CHECK(source.Left() == 6);
  uint8_t byte;
  REQUIRE(source.ReadByte(&byte));
  CHECK(byte == '4');
  CHECK(source.Checksum() == Crc64(0, "4", 1));
  CHECK(source.Skip(3));
  CHECK(source.offset() == 8);
  CHECK_FALSE(source.Skip(3));
}

TEST_CASE("byte streams: from a pipe strings are read by steps") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "abcdef", 6) == 6);
  ::close(ends[1]);
  FileSource source(ends[0]);
  CHECK(source.Left() == ByteSource::kUnknown);
  std::string text;
  CHECK(source.ReadString(3, &text));
  CHECK(text == "abc");
  // Of what is announced, not all is allocated.
  CHECK_FALSE(source.ReadString(uint64_t{1} << 60, &text));
  CHECK(text.capacity() < 10'000'000);
  CHECK(source.error() == 0);
  ::close(ends[0]);
}

TEST_CASE("byte streams: errors stay") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  FileSink sink(full);
  sink.Write("abc");
  CHECK(sink.ok());
  CHECK_FALSE(sink.Flush());
  CHECK(sink.error() == ENOSPC);
  sink.Write(std::string(1'000'000, 'x'));
  CHECK_FALSE(sink.Flush());
  CHECK(sink.error() == ENOSPC);
  CHECK(sink.offset() == 1'000'003);
  ::close(full);

  const int folder = ::open("/", O_RDONLY | O_DIRECTORY);
  REQUIRE(folder >= 0);
  FileSource source(folder);
  uint8_t byte;
  CHECK_FALSE(source.ReadByte(&byte));
  CHECK(source.error() == EISDIR);
  CHECK_FALSE(source.ReadByte(&byte));
  CHECK(source.error() == EISDIR);
  ::close(folder);
}

TEST_CASE("byte streams: memory") {
  const std::string bytes = "0123456789";
  MemorySource source(bytes);
  CHECK(source.Left() == 10);
  const uint8_t* borrowed = source.Borrow(4);
  REQUIRE(borrowed != nullptr);
  CHECK(*borrowed == '0');
  char rest[7];
  CHECK_FALSE(source.Read(rest, 7));
  CHECK(source.failed());
  MemorySource empty({});
  CHECK(empty.Borrow(0) != nullptr);
  CHECK(empty.Borrow(1) == nullptr);

  std::string text = "kept,";
  TextSink sink(text);
  sink.Write(std::string(5000, 'x'));
  sink.WriteByte('y');
  CHECK(sink.Flush());
  CHECK(text == "kept," + std::string(5000, 'x') + "y");
}

}  // namespace pinyon
