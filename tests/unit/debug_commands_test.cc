// The subcommands of DEBUG that look inside collections. Digests are what a redis-server 7.0 gave for the
// same data.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "command_fixture.h"
#include "keyspace/set_value.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/sorted_set.h"

namespace pinyon {
namespace {

struct DebugFixture : CommandFixture {
  DebugFixture() { options.enable_debug_command = EngineOptions::Permission::kYes; }
};

constexpr char kNoSuchKey[] = "-ERR no such key\r\n";

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Values of types whose commands are not the matter here, made as they lie in memory.
EntryRef StoreListpack(CommandFixture& f, std::string_view key, ValueType type,
                       std::initializer_list<std::string_view> elements) {
  PackedBlock block;
  Listpack::InitEmpty(block);
  Listpack listpack(block);
  for (const std::string_view element : elements) listpack.Append(element);
  Entry* entry = Entry::NewPacked(key, kNoExpiry, type, Encoding::kListpack, block.size());
  std::memcpy(entry->packed(), block.data(), block.size());
  return f.keyspace.database(0).StoreEntry(entry);
}

void StoreObject(CommandFixture& f, std::string_view key, ValueType type, Encoding encoding, void* object) {
  f.keyspace.database(0).StoreEntry(Entry::NewObject(key, kNoExpiry, type, encoding, object));
}

void StoreCollections(CommandFixture& f) {
  f.Run("SET a 1");
  f.Run("SADD s x y 2");
  StoreListpack(f, "l", ValueType::kList, {"a", "b", "3"});
  StoreListpack(f, "z", ValueType::kZset, {"m", "1.1", "n", "2", "o", "inf"});
  StoreListpack(f, "h", ValueType::kHash, {"f", "v", "g", "7"});
}

void StoreLargeCollections(CommandFixture& f) {
  const HashSeed& seed = f.keyspace.seed();
  auto* list = new ChunkedList;
  for (const char* element : {"a", "b", "3"}) list->PushBack(element, ListLimits::FromFill(2));
  StoreObject(f, "l", ValueType::kList, Encoding::kQuicklist, list);
  auto* zset = new SortedSet(seed);
  zset->Insert("n", 2);
  zset->Insert("o", std::numeric_limits<double>::infinity());
  zset->Insert("m", 1.1);
  StoreObject(f, "z", ValueType::kZset, Encoding::kSkiplist, zset);
  auto* hash = new FieldTable(seed);
  hash->Insert(Field::New("f", "v"), hash->Hash("f"));
  hash->Insert(Field::New("g", "7"), hash->Hash("g"));
  StoreObject(f, "h", ValueType::kHash, Encoding::kHashtable, hash);
  SetValue set(f.keyspace.database(0), f.keyspace.database(0).Find("s"));
  set.Expect(1000);
  REQUIRE(set.encoding() == Encoding::kHashtable);
}

constexpr char kValueDigests[] =
    "*6\r\n+b4fc66738120fba0b5aa500ab5c2bf89cea1c5da\r\n+09eb1fc9381ee92790d59930ab462945f8cd948b\r\n"
    "+eccffdbd2837a69a1e4b1375f1229f14c0974e6e\r\n+a790d34f70ca555c789fd1a5c1fe0875f71b62cf\r\n"
    "+42e8aee1f7247f7f7997132f31f0ea5085e70d29\r\n+0000000000000000000000000000000000000000\r\n";

TEST_CASE("DEBUG DIGEST is Redis's, whatever the encodings", "[debug]") {
  DebugFixture f;
  CHECK(f.Run("DEBUG DIGEST") == "+0000000000000000000000000000000000000000\r\n");
  StoreCollections(f);
  CHECK(f.Run("DEBUG DIGEST-VALUE a l s z h nokey") == kValueDigests);
  f.Run("SELECT 3");
  f.Run("SET b hello EX 1000");
  CHECK(f.Run("DEBUG DIGEST") == "+1b94d17d8daf4e828bae76d4f919f41a21c486ab\r\n");
  CHECK(f.Run("DEBUG DIGEST-VALUE b a") ==
        "*2\r\n+d037c4eb8a8b36b602fbced4000daeab0714c1e3\r\n+0000000000000000000000000000000000000000\r\n");
  f.Run("SELECT 0");
  StoreLargeCollections(f);
  CHECK(f.Run("DEBUG DIGEST-VALUE a l s z h nokey") == kValueDigests);
  CHECK(f.Run("DEBUG DIGEST") == "+1b94d17d8daf4e828bae76d4f919f41a21c486ab\r\n");
  CHECK(f.Run("DEBUG DIGEST-VALUE") == "*0\r\n");
  f.Run("SADD s z");
  CHECK(f.Run("DEBUG DIGEST") != "+1b94d17d8daf4e828bae76d4f919f41a21c486ab\r\n");
}

TEST_CASE("DEBUG OBJECT tells sizes in a snapshot, and of the chunks of a list", "[debug]") {
  DebugFixture f;
  StoreCollections(f);
  CHECK(Has(f.Run("DEBUG OBJECT h"), " encoding:listpack serializedlength:19 "));
  CHECK(Has(f.Run("DEBUG OBJECT a"), " encoding:int serializedlength:2 "));
  StoreLargeCollections(f);
  CHECK(Has(f.Run("DEBUG OBJECT s"), " encoding:hashtable serializedlength:7 "));
  CHECK(Has(f.Run("DEBUG OBJECT h"), " encoding:hashtable serializedlength:9 "));
  CHECK(Has(f.Run("DEBUG OBJECT z"), " encoding:skiplist serializedlength:31 "));
  const std::string list = f.Run("DEBUG OBJECT l");
  CHECK(Has(list, " encoding:quicklist serializedlength:"));
  CHECK(Has(list, " ql_nodes:2 ql_avg_node:1.50 ql_listpack_max:-2 ql_compressed:0 ql_uncompressed_size:"));
  CHECK_FALSE(Has(f.Run("DEBUG OBJECT h"), "ql_nodes"));
  CHECK(f.Run("DEBUG OBJECT nokey") == kNoSuchKey);
}

TEST_CASE("DEBUG LISTPACK and QUICKLIST know what they can print", "[debug]") {
  DebugFixture f;
  StoreCollections(f);
  CHECK(f.Run("DEBUG LISTPACK h") == "+Listpack structure printed on stdout\r\n");
  CHECK(f.Run("DEBUG LISTPACK a") == "-ERR Not a listpack encoded object.\r\n");
  CHECK(f.Run("DEBUG LISTPACK nokey") == kNoSuchKey);
  CHECK(f.Run("DEBUG QUICKLIST l") == "-ERR Not a quicklist encoded object.\r\n");
  StoreLargeCollections(f);
  CHECK(f.Run("DEBUG LISTPACK h") == "-ERR Not a listpack encoded object.\r\n");
  CHECK(f.Run("DEBUG QUICKLIST l") == "+Quicklist structure printed on stdout\r\n");
  CHECK(f.Run("DEBUG QUICKLIST l 1") == "+Quicklist structure printed on stdout\r\n");
  CHECK(f.Run("DEBUG QUICKLIST nokey") == kNoSuchKey);
}

TEST_CASE("DEBUG HTSTATS-KEY describes the tables of large collections", "[debug]") {
  DebugFixture f;
  StoreCollections(f);
  for (const char* key : {"a", "l", "h", "z", "s"}) {
    CHECK(f.Run("DEBUG HTSTATS-KEY " + std::string(key)) ==
          "-ERR The value stored at the specified key is not represented using an hash table\r\n");
  }
  StoreLargeCollections(f);
  CHECK(Has(f.Run("DEBUG HTSTATS-KEY s"), " number of elements: 3\n"));
  CHECK(Has(f.Run("DEBUG HTSTATS-KEY h"), " number of elements: 2\n"));
  CHECK(Has(f.Run("DEBUG HTSTATS-KEY z"), " number of elements: 3\n"));
  CHECK_FALSE(Has(f.Run("DEBUG HTSTATS-KEY s"), "table bytes"));
  CHECK(Has(f.Run("DEBUG HTSTATS-KEY s full"), " table bytes per element: "));
  CHECK(Has(f.Run("DEBUG HTSTATS 0 full"), " segments: 1\n"));
  CHECK(f.Run("DEBUG HTSTATS-KEY nokey") == kNoSuchKey);
}

TEST_CASE("DEBUG QUICKLIST-PACKED-THRESHOLD takes a size in memory units", "[debug]") {
  DebugFixture f;
  const int64_t& threshold = f.options.encoding.list_packed_threshold;
  const int64_t initial = threshold;
  CHECK(f.Run("DEBUG QUICKLIST-PACKED-THRESHOLD 100") == "+OK\r\n");
  CHECK(threshold == 100);
  CHECK(f.Run("DEBUG QUICKLIST-PACKED-THRESHOLD 1kb") == "+OK\r\n");
  CHECK(threshold == 1024);
  for (const char* size : {"x", "-5", "4gb", "4294967295"}) {
    CHECK(f.Run("DEBUG QUICKLIST-PACKED-THRESHOLD " + std::string(size)) ==
          "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n");
  }
  CHECK(threshold == 1024);
  CHECK(f.Run("DEBUG QUICKLIST-PACKED-THRESHOLD 0") == "+OK\r\n");
  CHECK(threshold == initial);
}

TEST_CASE("DEBUG POPULATE makes keys and leaves those that exist", "[debug]") {
  DebugFixture f;
  f.RecordEffects();
  f.Run("SET key:1 mine");
  f.TakeEffects();
  CHECK(f.Run("DEBUG POPULATE 3") == "+OK\r\n");
  CHECK(f.Run("DBSIZE") == ":3\r\n");
  CHECK(f.Run("GET key:2") == "$7\r\nvalue:2\r\n");
  CHECK(f.Run("GET key:1") == "$4\r\nmine\r\n");
  CHECK(f.Run("DEBUG POPULATE 1 p 3") == "+OK\r\n");
  CHECK(f.Run("GET p:0") == "$3\r\nval\r\n");
  CHECK(f.Run("DEBUG POPULATE 1 q 10") == "+OK\r\n");
  CHECK(f.Run("GET q:0") == std::string("$10\r\nvalue:0\0\0\0\r\n", 17));
  CHECK(f.Run("OBJECT ENCODING q:0") == "$6\r\nembstr\r\n");
  CHECK(f.TakeEffects().empty());
  for (const char* line : {"DEBUG POPULATE x", "DEBUG POPULATE -1", "DEBUG POPULATE 1 p x"}) {
    CHECK(f.Run(line) == "-ERR value is out of range, must be positive\r\n");
  }
  CHECK(f.Run("DEBUG POPULATE") ==
        "-ERR unknown subcommand or wrong number of arguments for 'POPULATE'. Try DEBUG HELP.\r\n");
}

TEST_CASE("DEBUG DICT-RESIZING reaches the server", "[debug]") {
  DebugFixture f;
  CHECK(f.Run("DEBUG DICT-RESIZING 0") == "+OK\r\n");
  CHECK_FALSE(f.server.table_maintenance);
  CHECK(f.Run("DEBUG DICT-RESIZING 1") == "+OK\r\n");
  CHECK(f.server.table_maintenance);
}

}  // namespace
}  // namespace pinyon
