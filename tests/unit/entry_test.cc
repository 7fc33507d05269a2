#include "keyspace/entry.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

constexpr int64_t kExpiry = 1'700'000'000'123;

const std::vector<size_t>& KeyLengths() {
  static const std::vector<size_t> lengths = {0, 1, 17, 254, 255, 256, 300, 70'000};
  return lengths;
}

std::string TextOf(size_t length, char first) {
  std::string text(length, first);
  for (size_t i = 0; i < length; ++i) text[i] = static_cast<char>(first + i % 26);
  return text;
}

size_t HeadBytes(const std::string& key, int64_t expiry_ms) {
  return 6 + (key.size() > 255 ? 4 : 0) + (expiry_ms == kNoExpiry ? 0 : 8) + key.size();
}

void CheckHead(const Entry* entry, const std::string& key, int64_t expiry_ms, Encoding encoding) {
  REQUIRE(entry->key() == key);
  REQUIRE(entry->expiry_ms() == expiry_ms);
  REQUIRE(entry->HasExpiry() == (expiry_ms != kNoExpiry));
  REQUIRE(entry->type() == ValueType::kString);
  REQUIRE(entry->encoding() == encoding);
}

void CheckString(const Entry* entry, const std::string& value) {
  IntegerText text;
  REQUIRE_FALSE(entry->IsInteger());
  REQUIRE(entry->StringBytes(text) == value);
  REQUIRE(entry->StoredBytes() == value);
  REQUIRE(entry->StringLength() == value.size());
}

TEST_CASE("an entry gives back key, expiry and a string of every layout") {
  for (const size_t key_length : KeyLengths()) {
    const std::string key = TextOf(key_length, 'a');
    for (const int64_t expiry_ms : {kNoExpiry, kExpiry, int64_t{0}, std::numeric_limits<int64_t>::max()}) {
      for (const size_t length : {0, 1, 44, 45, 254, 255, 256, 257, 8192}) {
        const std::string value = TextOf(length, 'A');
        const Encoding encoding = length <= kEmbstrMaxBytes ? Encoding::kEmbstr : Encoding::kRaw;
        const uint64_t before = mem::UsedBytes();
        Entry* entry = Entry::NewString(key, expiry_ms, value, encoding);
        const uint64_t held = mem::UsedBytes() - before;
        CheckHead(entry, key, expiry_ms, encoding);
        CheckString(entry, value);
        REQUIRE_FALSE(entry->IsOutOfLine());
        REQUIRE(entry->block() == nullptr);
        REQUIRE(entry->EntryBytes() == HeadBytes(key, expiry_ms) + length + (length > 255 ? 4 : 1));
        REQUIRE(entry->MemoryBytes() == held);
        REQUIRE_FALSE(entry->IsExpensiveToFree());
        Entry::Delete(entry);
      }
    }
  }
}

TEST_CASE("an entry gives back integers of every size") {
  for (const size_t key_length : KeyLengths()) {
    const std::string key = TextOf(key_length, 'a');
    for (const int64_t expiry_ms : {kNoExpiry, kExpiry}) {
      for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{12345},
                                  std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
        Entry* entry = Entry::NewInteger(key, expiry_ms, value);
        CheckHead(entry, key, expiry_ms, Encoding::kInt);
        IntegerText text;
        REQUIRE(entry->integer() == value);
        REQUIRE(entry->StringBytes(text) == std::to_string(value));
        REQUIRE(entry->StringLength() == std::to_string(value).size());
        REQUIRE(entry->EntryBytes() == HeadBytes(key, expiry_ms) + 8);
        entry->set_integer(-(value / 2));
        REQUIRE(entry->integer() == -(value / 2));
        CheckHead(entry, key, expiry_ms, Encoding::kInt);
        Entry::Delete(entry);
      }
    }
  }
}

TEST_CASE("an entry refers to a block and drops its reference at its end") {
  for (const size_t key_length : KeyLengths()) {
    const std::string key = TextOf(key_length, 'a');
    for (const int64_t expiry_ms : {kNoExpiry, kExpiry}) {
      for (const size_t length : {size_t{10}, size_t{10'000}, size_t{300'000}}) {
        const std::string value = TextOf(length, 'A');
        SharedBlock* block = SharedBlock::Copy(value);
        block->Ref();
        const BlockRef kept(block);
        Entry* entry = Entry::NewBlock(key, expiry_ms, block);
        CheckHead(entry, key, expiry_ms, Encoding::kRaw);
        CheckString(entry, value);
        REQUIRE(entry->IsOutOfLine());
        REQUIRE(entry->block() == block);
        REQUIRE(entry->EntryBytes() == HeadBytes(key, expiry_ms) + 8);
        REQUIRE(entry->MemoryBytes() == mem::UsableSize(entry->EntryBytes()) + mem::UsableSize(length + 24));
        REQUIRE(entry->IsExpensiveToFree() == (length >= 256 * 1024));
        REQUIRE(block->IsShared());
        Entry::Delete(entry);
        REQUIRE_FALSE(block->IsShared());
        REQUIRE(block->bytes() == value);
      }
    }
  }
}

TEST_CASE("the documented layout takes 56 bytes for a key of 17 and a value of 32") {
  const std::string key(17, 'k'), value(32, 'v');
  Entry* entry = Entry::NewString(key, kNoExpiry, value, Encoding::kEmbstr);
  CHECK(entry->EntryBytes() == 56);
  CHECK(entry->MemoryBytes() == 56);
  entry->set_access(0x030201);
  const auto* bytes = reinterpret_cast<const unsigned char*>(entry);
  CHECK(bytes[0] == 0x20);  // embstr, string
  CHECK(bytes[1] == 0);
  CHECK((bytes[2] == 1 && bytes[3] == 2 && bytes[4] == 3));
  CHECK(bytes[5] == 17);
  CHECK(std::memcmp(bytes + 6, key.data(), 17) == 0);
  CHECK(bytes[23] == 32);
  CHECK(std::memcmp(bytes + 24, value.data(), 32) == 0);
  Entry::Delete(entry);
}

TEST_CASE("a block may be an entry if the key that it would have lies in it") {
  for (const size_t length : KeyLengths()) {
    if (length > 300) continue;
    for (const int64_t expiry_ms : {kNoExpiry, kExpiry}) {
      const std::string key = TextOf(length, 'a');
      Entry* entry = Entry::NewInteger(key, expiry_ms, 5);
      std::string_view found;
      CHECK(Entry::MayBe(entry, entry->EntryBytes(), &found));
      CHECK(found == key);
      CHECK(Entry::MayBe(entry, HeadBytes(key, expiry_ms), &found));
      CHECK_FALSE(Entry::MayBe(entry, HeadBytes(key, expiry_ms) - 1, &found));
      Entry::Delete(entry);
    }
  }
  // Whatever the bytes are, nothing behind the block is looked at or told.
  Random random(Catch::rngSeed());
  for (int i = 0; i < 100'000; ++i) {
    std::vector<uint8_t> block(1 + random.Below(40));
    for (uint8_t& byte : block) byte = static_cast<uint8_t>(random.Below(random.Below(2) == 0 ? 256 : 10));
    std::string_view key;
    if (!Entry::MayBe(block.data(), block.size(), &key)) continue;
    const auto* first = reinterpret_cast<const uint8_t*>(key.data());
    REQUIRE((first >= block.data() && first + key.size() <= block.data() + block.size()));
  }
}

TEST_CASE("the access clock holds 24 bits and disturbs nothing") {
  Entry* entry = Entry::NewString("key", kExpiry, "value", Encoding::kEmbstr);
  CHECK(entry->access() == 0);
  for (const uint32_t value : {0u, 1u, 0xabcdefu, 0xffffffu, 0x800000u}) {
    entry->set_access(value);
    CHECK(entry->access() == value);
    CheckHead(entry, "key", kExpiry, Encoding::kEmbstr);
    CheckString(entry, "value");
  }
  entry->set_access(0x1abcdef);
  CHECK(entry->access() == 0xabcdef);
  Entry::Delete(entry);
}

TEST_CASE("encoding and expiry change in place") {
  Entry* entry = Entry::NewString("key", kExpiry, "value", Encoding::kEmbstr);
  entry->set_encoding(Encoding::kRaw);
  CheckHead(entry, "key", kExpiry, Encoding::kRaw);
  entry->set_expiry_ms(5);
  CheckHead(entry, "key", 5, Encoding::kRaw);
  CheckString(entry, "value");
  Entry::Delete(entry);
}

TEST_CASE("rewriting in place goes within the size class, in both directions, and changes nothing else") {
  Random random(Catch::rngSeed());
  INFO("seed " << Catch::rngSeed());
  const uint64_t before = mem::UsedBytes();
  int rewritten = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string key = TextOf(random.Below(40), 'k');
    const int64_t expiry_ms = random.Below(2) == 0 ? kNoExpiry : kExpiry;
    Entry* entry = random.Below(4) == 0
                       ? Entry::NewInteger(key, expiry_ms, round)
                       : Entry::NewString(key, expiry_ms, TextOf(random.Below(300), 'A'), Encoding::kRaw);
    entry->set_access(77);
    for (int step = 0; step < 10; ++step) {
      IntegerText text;
      const std::string old_value(entry->StringBytes(text));
      const Encoding old_encoding = entry->encoding();
      const size_t old_bytes = entry->EntryBytes();
      bool ok;
      if (random.Below(4) == 0) {
        ok = entry->RewriteInPlace(int64_t{step});
        REQUIRE(ok == mem::SameClass(old_bytes, HeadBytes(key, expiry_ms) + 8));
        if (ok) REQUIRE((entry->IsInteger() && entry->integer() == step));
      } else {
        const size_t length =
            std::max<int64_t>(0, static_cast<int64_t>(old_value.size() + random.Below(20)) - 10);
        const std::string value = TextOf(length, 'a');
        ok = entry->RewriteInPlace(value, Encoding::kEmbstr);
        REQUIRE(ok == mem::SameClass(old_bytes, HeadBytes(key, expiry_ms) + length + (length > 255 ? 4 : 1)));
        if (ok) CheckHead(entry, key, expiry_ms, Encoding::kEmbstr);
        if (ok) CheckString(entry, value);
      }
      REQUIRE(mem::SameClass(old_bytes, entry->EntryBytes()));
      REQUIRE(entry->access() == 77);
      ++(ok ? rewritten : refused);
      if (!ok) {
        CheckHead(entry, key, expiry_ms, old_encoding);
        REQUIRE(entry->StringBytes(text) == old_value);
      }
    }
    Entry::Delete(entry);
  }
  CHECK(rewritten > 1000);
  CHECK(refused > 1000);
  CHECK(mem::UsedBytes() <= before + 10'000);
}

TEST_CASE("rewriting crosses between short and wide values in place, even with the entry's own bytes") {
  // 6 + 1 + 1 + 252 = 260 and 6 + 1 + 4 + 256 = 267 round up to 264 and 272; so 255 (263) and 256 (267)
  // differ, and the key's length decides on which side of a border they lie.
  int crossed = 0;
  for (size_t key_length = 0; key_length < 16; ++key_length) {
    const std::string key = TextOf(key_length, 'k'), short_value = TextOf(255, 'A'),
                      wide_value = TextOf(256, 'a');
    Entry* entry = Entry::NewString(key, kNoExpiry, short_value, Encoding::kRaw);
    if (entry->RewriteInPlace(wide_value, Encoding::kRaw)) {
      ++crossed;
      CheckString(entry, wide_value);
      REQUIRE(entry->RewriteInPlace(short_value, Encoding::kRaw));
      CheckString(entry, short_value);
    }
    Entry::Delete(entry);

    // A wide value rewritten with its own beginning becomes short: length and bytes overlap.
    entry = Entry::NewString(key, kNoExpiry, wide_value, Encoding::kRaw);
    if (entry->RewriteInPlace(entry->StoredBytes().substr(1), Encoding::kRaw))
      CheckString(entry, wide_value.substr(1));
    if (entry->RewriteInPlace(entry->StoredBytes().substr(0, 250), Encoding::kRaw)) {
      CHECK(entry->StringLength() == 250);
    }
    Entry::Delete(entry);
  }
  CHECK(crossed > 0);
}

TEST_CASE("rebuilding keeps value, encoding and access under another key and expiry") {
  const std::vector<size_t> lengths = {0, 10, 255, 256, 300};
  for (const size_t old_length : lengths) {
    for (const size_t new_length : lengths) {
      for (const int64_t expiry_ms : {kNoExpiry, kExpiry}) {
        const std::string old_key = TextOf(old_length, 'a'), new_key = TextOf(new_length, 'n');
        const int64_t old_expiry = expiry_ms == kNoExpiry ? kExpiry : kNoExpiry;
        Entry* entry = Entry::NewString(old_key, old_expiry, TextOf(300, 'A'), Encoding::kRaw);
        entry->set_access(4711);
        entry = Entry::Rebuild(entry, new_key, expiry_ms);
        CheckHead(entry, new_key, expiry_ms, Encoding::kRaw);
        CheckString(entry, TextOf(300, 'A'));
        REQUIRE(entry->access() == 4711);
        Entry::Delete(entry);

        entry = Entry::Rebuild(Entry::NewInteger(old_key, old_expiry, -5), new_key, expiry_ms);
        CheckHead(entry, new_key, expiry_ms, Encoding::kInt);
        REQUIRE(entry->integer() == -5);
        Entry::Delete(entry);

        SharedBlock* block = SharedBlock::Copy("in a block");
        entry = Entry::Rebuild(Entry::NewBlock(old_key, old_expiry, block), new_key, expiry_ms);
        CheckHead(entry, new_key, expiry_ms, Encoding::kRaw);
        REQUIRE(entry->block() == block);
        REQUIRE_FALSE(block->IsShared());
        // Its own key, as when only the expiry changes.
        entry = Entry::Rebuild(entry, entry->key(), old_expiry);
        CheckHead(entry, new_key, old_expiry, Encoding::kRaw);
        Entry::Delete(entry);
      }
    }
  }
}

TEST_CASE("types and encodings have Redis's names") {
  CHECK(ValueTypeName(ValueType::kString) == "string");
  CHECK(ValueTypeName(ValueType::kZset) == "zset");
  CHECK(ValueTypeName(ValueType::kStream) == "stream");
  CHECK(EncodingName(Encoding::kInt) == "int");
  CHECK(EncodingName(Encoding::kEmbstr) == "embstr");
  CHECK(EncodingName(Encoding::kRaw) == "raw");
  CHECK(EncodingName(Encoding::kQuicklist) == "quicklist");
}

}  // namespace
}  // namespace pinyon
