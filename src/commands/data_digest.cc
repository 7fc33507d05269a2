#include "commands/data_digest.h"

#include "base/numbers.h"
#include "keyspace/set_view.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

class Mixer {
 public:
  explicit Mixer(Sha1& sha1) : sha1_(sha1) {}

  void Xor(std::string_view text) {
    const Sha1Digest other = sha1_(text);
    for (size_t i = 0; i < digest_.size(); ++i) digest_[i] ^= other[i];
  }
  void Xor(const Mixer& other) { Xor(other.bytes()); }
  void Mix(std::string_view text) {
    Xor(text);
    digest_ = sha1_(bytes());
  }
  void MixNumber(uint32_t number) {
    const char bytes[] = {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
                          static_cast<char>(number >> 8), static_cast<char>(number)};
    Mix({bytes, sizeof bytes});
  }
  void XorPair(std::string_view first, std::string_view second) {
    Mixer pair(sha1_);
    pair.Mix(first);
    pair.Mix(second);
    Xor(pair);
  }

  const Sha1Digest& digest() const { return digest_; }

 private:
  std::string_view bytes() const { return {reinterpret_cast<const char*>(digest_.data()), digest_.size()}; }

  Sha1& sha1_;
  Sha1Digest digest_ = {};
};

void MixListpack(Mixer& mixer, ListpackView elements) {
  PackedElement::Digits digits;
  for (auto at = elements.First(); at != ListpackView::kEnd; at = elements.Next(at)) {
    mixer.Mix(elements.Get(at).Text(digits));
  }
}

void MixList(Mixer& mixer, const Entry* entry) {
  if (entry->IsPacked()) return MixListpack(mixer, ListpackView(entry->packed()));
  PackedElement::Digits digits;
  const auto& list = *static_cast<const ChunkedList*>(entry->pointer());
  for (ChunkedList::Cursor cursor(list, 0); cursor.valid(); cursor.Advance()) {
    mixer.Mix(cursor.Get().Text(digits));
  }
}

void MixSet(Mixer& mixer, const Entry* entry) {
  PackedElement::Digits digits;
  SetReader reader{SetView(entry)};
  for (PackedElement element; reader.Next(&element);) mixer.Xor(element.Text(digits));
}

void XorScored(Mixer& mixer, std::string_view member, double score) {
  char digits[kMaxDoubleChars];
  mixer.XorPair(member, {digits, FormatDouble(score, digits)});
}

void MixZset(Mixer& mixer, const Entry* entry) {
  if (!entry->IsPacked()) {
    const auto& zset = *static_cast<const SortedSet*>(entry->pointer());
    for (auto at = zset.tree().At(0); at; at.Next()) XorScored(mixer, at->key(), at.score());
    return;
  }
  PackedElement::Digits member_digits, score_digits;
  const ListpackView pairs(entry->packed());
  for (auto at = pairs.First(); at != ListpackView::kEnd; at = pairs.Next(at)) {
    const PackedElement member = pairs.Get(at);
    at = pairs.Next(at);
    double score;
    PINYON_CHECK(ParseDouble(pairs.Get(at).Text(score_digits), &score));
    XorScored(mixer, member.Text(member_digits), score);
  }
}

void MixPackedHash(Mixer& mixer, const Entry* entry, int64_t now_ms) {
  PackedElement::Digits name_digits, value_digits;
  const ListpackView fields(entry->packed());
  for (auto at = fields.First(); at != ListpackView::kEnd; at = fields.Next(at)) {
    const PackedElement name = fields.Get(at);
    const PackedElement value = fields.Get(at = fields.Next(at));
    if (entry->encoding() == Encoding::kListpackEx) {
      const int64_t expiry_ms = fields.Get(at = fields.Next(at)).integer;
      if (expiry_ms != 0 && now_ms > expiry_ms) continue;
    }
    mixer.XorPair(name.Text(name_digits), value.Text(value_digits));
  }
}

void MixHash(Mixer& mixer, const Entry* entry, int64_t now_ms) {
  if (entry->IsPacked()) return MixPackedHash(mixer, entry, now_ms);
  static_cast<const FieldTable*>(entry->pointer())->ForEach([&](const Field* field) {
    if (field->HasExpiry() && now_ms > field->expiry_ms()) return;
    mixer.XorPair(field->key(), field->value());
  });
}

// As Redis numbers them.
uint32_t TypeNumber(ValueType type) {
  switch (type) {
    case ValueType::kString: return 0;
    case ValueType::kList: return 1;
    case ValueType::kSet: return 2;
    case ValueType::kZset: return 3;
    case ValueType::kHash: return 4;
    case ValueType::kStream: return 6;
  }
  PINYON_CHECK(false);
  return 0;
}

void MixValue(Mixer& mixer, const Entry* entry, int64_t now_ms) {
  mixer.MixNumber(TypeNumber(entry->type()));
  switch (entry->type()) {
    case ValueType::kString: {
      IntegerText digits;
      mixer.Mix(entry->StringBytes(digits));
      break;
    }
    case ValueType::kList: MixList(mixer, entry); break;
    case ValueType::kSet: MixSet(mixer, entry); break;
    case ValueType::kZset: MixZset(mixer, entry); break;
    case ValueType::kHash: MixHash(mixer, entry, now_ms); break;
    case ValueType::kStream: PINYON_CHECK(false); break;
  }
  if (entry->HasExpiry()) mixer.Xor("!!expire!!");
}

}  // namespace

Sha1Digest DataDigest::OfKeyspace(const Keyspace& keyspace) {
  Sha1 sha1;
  Mixer all(sha1);
  for (int i = 0; i < keyspace.DatabaseCount(); ++i) {
    const Database& db = keyspace.database(i);
    if (db.size() == 0) continue;
    all.MixNumber(static_cast<uint32_t>(i));
    db.table().ForEach([&](const Entry* entry) {
      Mixer key(sha1);
      key.Mix(entry->key());
      MixValue(key, entry, keyspace.now_ms());
      all.Xor(key);
    });
  }
  return all.digest();
}

Sha1Digest DataDigest::OfValue(const Entry* entry, int64_t now_ms) {
  Sha1 sha1;
  Mixer value(sha1);
  MixValue(value, entry, now_ms);
  return value.digest();
}

std::string DataDigest::Hex(const Sha1Digest& digest) {
  std::string hex;
  for (const uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 0x0f];
  }
  return hex;
}

}  // namespace pinyon
