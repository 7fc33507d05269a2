// What commands of strings, bitmaps and keys answer when a key holds another type, and that a refused one
// changes nothing. Expected replies are those of Redis 7.0 with a small hash under the key.
#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "keyspace/collection_value.h"
#include "replies.h"
#include "types/listpack.h"

namespace pinyon {
namespace {

constexpr std::string_view kNoTtl = ":-1\r\n";
constexpr std::string_view kNotStrings = "-ERR The specified keys must contain string values\r\n";
constexpr std::string_view kBitOffset = "-ERR bit offset is not an integer or out of range\r\n";

class HashFixture : public CommandFixture {
 public:
  HashFixture() {
    Database& db = keyspace.database(0);
    EntrySlot slot(db, db.AddPacked("h", db.Hash("h"), ValueType::kHash, Encoding::kListpack));
    EntryPacked bytes(slot);
    Listpack listpack(bytes);
    listpack.Append("field");
    listpack.Append("value");
    Run("SET s 5");
    RecordEffects();
    RecordNotifications();
  }

  // The type of a key, "none" when there is none; a hash must be the one that was put in.
  std::string_view TypeOf(std::string_view key) {
    const EntryRef ref = keyspace.database(0).Peek(key);
    if (!ref) return "none";
    if (ref->type() == ValueType::kHash) {
      CHECK(ref->encoding() == Encoding::kListpack);
      const ListpackView listpack(ref->packed());
      CHECK(listpack.size() == 2);
      CHECK(listpack.Equals(listpack.Last(), "value"));
    }
    return ValueTypeName(ref->type());
  }
};

struct Case {
  std::string_view line;
  std::string_view reply;
  std::string_view type_of_h = "hash";  // afterwards
  std::string_view type_of_n = "none";  // of a key that was not there
};

constexpr Case kStringCases[] = {
    {"GET h", kWrongType},
    {"SET h v", kOk, "string"},
    {"SET h v NX", kNil},
    {"SET h v XX", kOk, "string"},
    {"SET h v KEEPTTL", kOk, "string"},
    {"SET h v EX 100", kOk, "string"},
    {"SET h v GET", kWrongType},
    {"SET h v NX GET", kWrongType},
    {"SET h v IFEQ v", kWrongType},
    {"SET h v EX 0", "-ERR invalid expire time in 'set' command\r\n"},
    {"SET h v GET EX 0", "-ERR invalid expire time in 'set' command\r\n"},
    {"GETSET h v", kWrongType},
    {"GETDEL h", kWrongType},
    {"GETEX h", kWrongType},
    {"GETEX h EX 100", kWrongType},
    {"GETEX h EX 0", kWrongType},
    {"GETEX h PERSIST", kWrongType},
    {"GETEX h BOGUS", "-ERR syntax error\r\n"},
    {"DELIFEQ h v", kWrongType},
    {"SETNX h v", kZero},
    {"SETEX h 100 v", kOk, "string"},
    {"SETEX h 0 v", "-ERR invalid expire time in 'setex' command\r\n"},
    {"PSETEX h 100000 v", kOk, "string"},
    {"MSET h v", kOk, "string"},
    {"MSET n v h v", kOk, "string", "string"},
    {"MSETNX h v", kZero},
    {"MSETNX n v h v", kZero},
    {"MSETEX 1 h v", kOne, "string"},
    {"MSETEX 2 n v h v NX", kZero},
    {"MGET h", "*1\r\n$-1\r\n"},
    {"MGET s h n", "*3\r\n$1\r\n5\r\n$-1\r\n$-1\r\n"},
    {"INCR h", kWrongType},
    {"DECR h", kWrongType},
    {"INCRBY h 1", kWrongType},
    {"INCRBY h abc", kNotInteger},
    {"DECRBY h 1", kWrongType},
    {"INCRBYFLOAT h 1", kWrongType},
    {"INCRBYFLOAT h abc", kWrongType},
    {"APPEND h x", kWrongType},
    {"STRLEN h", kWrongType},
    {"GETRANGE h 0 -1", kWrongType},
    {"GETRANGE h abc 0", kNotInteger},
    {"SUBSTR h 0 -1", kWrongType},
    {"SETRANGE h 0 x", kWrongType},
    {"SETRANGE h -1 x", "-ERR offset is out of range\r\n"},
    {"SETRANGE h 536870912 x", kWrongType},
    {"LCS h s", kNotStrings},
    {"LCS s h", kNotStrings},
    {"LCS h h", kNotStrings},
    {"LCS h s BOGUS", kNotStrings},
    {"CL.THROTTLE h 1 1 1", kWrongType},
    {"TB.TAKE h 1 1 1 1", kWrongType},
    {"TB.TAKE n 1 1 1 1 h 1 1 1 1", kWrongType},
    {"TB.PEEK h 1 1 1 1", kWrongType},
    {"TB.WAIT h 1 1 1 1 0", kWrongType},
    {"TB.REFUND h 1", kWrongType},
    {"TB.RESET h", kWrongType},
    {"TB.INFO h", kWrongType},
};

constexpr Case kBitmapCases[] = {
    {"SETBIT h 0 1", kWrongType},
    {"SETBIT h 0 2", "-ERR bit is not an integer or out of range\r\n"},
    {"SETBIT h -1 1", kBitOffset},
    {"GETBIT h 0", kWrongType},
    {"GETBIT h -1", kBitOffset},
    {"BITCOUNT h", kWrongType},
    {"BITCOUNT h 0", kWrongType},
    {"BITCOUNT h 0 -1", kWrongType},
    {"BITCOUNT h a b", kWrongType},
    {"BITPOS h 1", kWrongType},
    {"BITPOS h 1 0 -1 BIT", kWrongType},
    {"BITPOS h 1 a", kWrongType},
    {"BITPOS h 1 0 0 BOGUS", kWrongType},
    {"BITPOS h 2", "-ERR The bit argument must be 1 or 0.\r\n"},
    {"BITOP AND n h", kWrongType},
    {"BITOP OR n s h", kWrongType},
    {"BITOP NOT n h", kWrongType},
    {"BITOP AND h s", kOne, "string"},
    {"BITOP AND h n", kZero, "none"},
    {"BITFIELD h", kWrongType},
    {"BITFIELD h GET u8 0", kWrongType},
    {"BITFIELD h SET u8 0 1", kWrongType},
    {"BITFIELD h INCRBY u8 0 1", kWrongType},
    {"BITFIELD_RO h", kWrongType},
    {"BITFIELD_RO h GET u8 0", kWrongType},
};

constexpr Case kGenericCases[] = {
    {"SORT h", kWrongType},
    {"SORT h STORE n", kWrongType},
    {"SORT_RO h", kWrongType},
    {"DEL h", kOne, "none"},
    {"UNLINK h", kOne, "none"},
    {"EXISTS h", kOne},
    {"TOUCH h", kOne},
    {"TYPE h", "+hash\r\n"},
    {"RENAME h n", kOk, "none", "hash"},
    {"RENAME h s", kOk, "none"},
    {"RENAME s h", kOk, "string"},
    {"RENAMENX h n", kOne, "none", "hash"},
    {"RENAMENX s h", kZero},
    {"COPY s h", kZero},
    {"COPY s h REPLACE", kOne, "string"},
    {"MOVE h 1", kOne, "none"},
    {"EXPIRE h 100", kOne},
    {"EXPIRE h -1", kOne, "none"},
    {"PEXPIRE h 100000", kOne},
    {"EXPIREAT h 9999999999", kOne},
    {"PEXPIREAT h 9999999999000", kOne},
    {"TTL h", kNoTtl},
    {"PTTL h", kNoTtl},
    {"EXPIRETIME h", kNoTtl},
    {"PEXPIRETIME h", kNoTtl},
    {"PERSIST h", kZero},
    {"OBJECT ENCODING h", "$8\r\nlistpack\r\n"},
    {"OBJECT REFCOUNT h", kOne},
    {"WATCH h", kOk},
    {"DUMP n", "$-1\r\n"},
    {"RESTORE h 0 x", "-BUSYKEY Target key name already exists.\r\n"},
    {"RESTORE n 0 x", "-ERR DUMP payload version or checksum are wrong\r\n"},
    {"RESTORE h 0 x REPLACE", "-ERR DUMP payload version or checksum are wrong\r\n"},
    {"MIGRATE nowhere 1 h 0 10", "-IOERR error or timeout connecting to the client\r\n"},
    {"MIGRATE nowhere 1 n 0 10", "+NOKEY\r\n"},
    {"SCAN 0 TYPE hash", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nh\r\n"},
    {"SCAN 0 TYPE string", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\ns\r\n"},
};

void Check(const Case& expected) {
  INFO(expected.line);
  HashFixture f;
  CHECK(f.Run(expected.line) == expected.reply);
  CHECK(f.TypeOf("h") == expected.type_of_h);
  CHECK(f.TypeOf("n") == expected.type_of_n);
  if (!expected.reply.starts_with('-')) return;
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("GET s") == "$1\r\n5\r\n");
  for (const std::string& line : f.TakeNotifications()) CHECK(line.starts_with("keymiss"));
}

// Names of the top-level commands of a group that take keys.
std::set<std::string_view> CommandsWithKeys(const CommandTable& table, std::string_view group) {
  std::set<std::string_view> names;
  for (const Command* command : table.commands()) {
    if (command->spec->group == group && command->spec->keys[0].begin != KeySpec::Begin::kNone) {
      names.insert(command->name);
    }
  }
  return names;
}

template <size_t kCount>
void CheckAll(std::string_view group, const Case (&cases)[kCount]) {
  HashFixture f;
  std::set<std::string_view> untried = CommandsWithKeys(f.commands, group);
  REQUIRE_FALSE(untried.empty());
  for (const Case& expected : cases) {
    Check(expected);
    if (const Command* command = f.commands.Find(expected.line.substr(0, expected.line.find(' ')))) {
      untried.erase(command->name);
    }
  }
  CHECK(std::vector(untried.begin(), untried.end()).empty());
}

TEST_CASE("wrong type: strings") { CheckAll("string", kStringCases); }

TEST_CASE("wrong type: bitmaps") { CheckAll("bitmap", kBitmapCases); }

TEST_CASE("wrong type: any key will do") { CheckAll("generic", kGenericCases); }

TEST_CASE("wrong type: a moved or renamed value keeps its expiry and can go") {
  HashFixture f;
  CHECK(f.Run("EXPIRE h 100") == kOne);
  CHECK(f.Run("RENAME h other") == kOk);
  CHECK(f.Run("TTL other") == ":100\r\n");
  CHECK(f.Run("MOVE other 1") == kOne);
  f.Run("SELECT 1");
  CHECK(f.Run("TTL other") == ":100\r\n");
  CHECK(f.Run("TYPE other") == "+hash\r\n");
  CHECK(f.Run("GET other") == kWrongType);
  f.Advance(100'001);
  CHECK(f.Run("TYPE other") == "+none\r\n");
}

}  // namespace
}  // namespace pinyon
