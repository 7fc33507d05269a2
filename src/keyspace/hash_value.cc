#include "keyspace/hash_value.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "keyspace/keyspace.h"

namespace pinyon {

namespace {

std::array<std::string_view, 3> Triplet(std::string_view name, std::string_view value, int64_t expiry_ms,
                                        PackedElement::Digits* digits) {
  const int64_t written = expiry_ms == Field::kNoExpiry ? 0 : expiry_ms;
  return {name, value, {digits->bytes, FormatInt64(written, digits->bytes)}};
}

}  // namespace

int64_t HashValue::now_ms() const { return db().keyspace().now_ms(); }

HashView HashValue::view() const { return HashView(entry(), now_ms()); }

bool HashValue::FitsPacked(std::string_view text) const {
  return text.size() <= static_cast<size_t>(limits().hash_max_listpack_value);
}

void HashValue::PrepareFor(std::span<const std::string_view> texts) {
  if (!IsPacked()) return;
  size_t bytes = 0;
  for (const std::string_view text : texts) {
    if (!FitsPacked(text)) return ConvertToTable();
    bytes += text.size();
  }
  if (!ListpackView(packed_data()).Fits(bytes)) ConvertToTable();
}

void HashValue::ExpiriesChanged() {
  if (!detached_) db().NoteFieldExpiry(ref());
}

void HashValue::ReportExpired(std::span<const std::string_view> names) {
  if (!detached_) db().ReportExpiredFields(ref(), names);
}

// --- setting ---

// Whether the pairs are all that the hash will hold, none twice.
bool HashValue::MayAppendAll(std::span<const std::string_view> pairs) const {
  constexpr size_t kMaxPairs = 16;  // each is compared with each
  const size_t count = pairs.size() / 2;
  if (encoding() != Encoding::kListpack || !ListpackView(packed_data()).empty() || count > kMaxPairs ||
      count > static_cast<size_t>(limits().hash_max_listpack_entries)) {
    return false;
  }
  for (size_t i = 2; i < pairs.size(); i += 2) {
    for (size_t earlier = 0; earlier < i; earlier += 2) {
      if (pairs[i] == pairs[earlier]) return false;
    }
  }
  return true;
}

size_t HashValue::SetAll(std::span<const std::string_view> pairs, Expiry expiry) {
  PINYON_ASSERT(pairs.size() % 2 == 0);
  PrepareFor(pairs);
  if (MayAppendAll(pairs)) {
    Listpack(packed()).AppendAll(pairs.data(), pairs.size());
    return pairs.size() / 2;
  }
  size_t created = 0;
  for (size_t i = 0; i < pairs.size(); i += 2) created += Set(pairs[i], pairs[i + 1], expiry) ? 1 : 0;
  return created;
}

bool HashValue::Set(std::string_view name, std::string_view value, Expiry expiry) {
  if (!IsPacked()) return SetInTable(name, value, expiry);
  const bool fits =
      FitsPacked(name) && FitsPacked(value) && ListpackView(packed_data()).Fits(name.size() + value.size());
  if (!fits) {
    ConvertToTable();
    return SetInTable(name, value, expiry);
  }
  return SetPacked(name, value, expiry);
}

bool HashValue::SetPacked(std::string_view name, std::string_view value, Expiry expiry) {
  Listpack listpack(packed());
  const Offset found = listpack.Find(listpack.First(), name, Stride() - 1);
  const std::string_view added[] = {name, value, "0"};  // the last one for a triplet
  if (found == ListpackView::kEnd) {
    listpack.AppendAll(added, Stride());
    if (listpack.size() / Stride() > static_cast<size_t>(limits().hash_max_listpack_entries))
      ConvertToTable();
    return true;
  }
  const Offset value_at = listpack.Next(found);
  if (encoding() == Encoding::kListpack) {
    listpack.Replace(value_at, value);
    return false;
  }
  const int64_t old_expiry_ms = listpack.Get(listpack.Next(value_at)).integer;
  const bool expired = old_expiry_ms != 0 && now_ms() > old_expiry_ms;
  if (old_expiry_ms == 0 || (expiry == Expiry::kKeep && !expired)) {
    listpack.Replace(value_at, value);
    return false;
  }
  listpack.Delete(found, Stride());
  listpack.AppendAll(added, Stride());
  ExpiriesChanged();
  return expired;
}

FieldTable::Position HashValue::FindLive(std::string_view name, uint64_t hash) {
  FieldTable& fields = table();
  const FieldTable::Position position = fields.Find(name, hash);
  if (!position || !view().IsExpired(position->expiry_ms())) return position;
  Field* expired = fields.Remove(position);
  if (!db().keyspace().hides_expired_only()) ReportExpired({&name, 1});
  Field::Delete(expired);
  ExpiriesChanged();
  return {};
}

bool HashValue::SetInTable(std::string_view name, std::string_view value, Expiry expiry) {
  FieldTable& fields = table();
  const uint64_t hash = fields.Hash(name);
  const FieldTable::Position position = FindLive(name, hash);
  if (!position) {
    fields.Insert(Field::New(name, value), hash);
    return true;
  }
  Field* old = position.entry();
  const bool drops_expiry = old->HasExpiry() && expiry == Expiry::kDrop;
  if (!drops_expiry && old->RewriteInPlace(value)) return false;
  fields.Replace(position, Field::New(name, value, drops_expiry ? Field::kNoExpiry : old->expiry_ms()), hash);
  Field::Delete(old);
  if (drops_expiry) ExpiriesChanged();
  return false;
}

bool HashValue::Delete(std::string_view name) {
  if (!IsPacked()) {
    FieldTable& fields = table();
    const FieldTable::Position position = FindLive(name, fields.Hash(name));
    if (!position) return false;
    Field* field = fields.Remove(position);
    const bool expires = field->HasExpiry();
    Field::Delete(field);
    fields.Tidy();
    if (expires) ExpiriesChanged();
    return true;
  }
  Listpack listpack(packed());
  const Offset found = listpack.Find(listpack.First(), name, Stride() - 1);
  if (found == ListpackView::kEnd) return false;
  const bool with_expiries = encoding() == Encoding::kListpackEx;
  const int64_t expiry_ms = with_expiries ? listpack.Get(listpack.Next(listpack.Next(found))).integer : 0;
  listpack.Delete(found, Stride());
  if (expiry_ms != 0) ExpiriesChanged();
  return expiry_ms == 0 || now_ms() <= expiry_ms;
}

// --- expiries ---

bool HashValue::SetExpiry(std::string_view name, int64_t expiry_ms) {
  PINYON_ASSERT(expiry_ms == Field::kNoExpiry || expiry_ms > 0);
  return IsPacked() ? SetExpiryPacked(name, expiry_ms) : SetExpiryInTable(name, expiry_ms);
}

bool HashValue::SetExpiryInTable(std::string_view name, int64_t expiry_ms) {
  FieldTable& fields = table();
  const uint64_t hash = fields.Hash(name);
  const FieldTable::Position position = FindLive(name, hash);
  if (!position) return false;
  Field* old = position.entry();
  if (!old->HasExpiry() && expiry_ms == Field::kNoExpiry) return true;
  // The first expiry tells the table what time it is, which its deadlines are reckoned from.
  if (fields.expiring() == 0) fields.ExpireDue(now_ms(), [](FieldTable::Position) { return true; });
  if (old->HasExpiry() && expiry_ms != Field::kNoExpiry) {
    old->set_expiry_ms(expiry_ms);
    fields.Replace(position, old, hash);
  } else {
    fields.Replace(position, Field::New(old->key(), old->value(), expiry_ms), hash);
    Field::Delete(old);
  }
  ExpiriesChanged();
  return true;
}

bool HashValue::SetExpiryPacked(std::string_view name, int64_t expiry_ms) {
  HashField field;
  if (!view().Find(name, &field)) return false;
  if (field.expiry_ms == expiry_ms) return true;
  PackedElement::Digits digits;
  // Room for the expiry's digits, and for a third element in every field.
  constexpr size_t kRoom = 64;
  const size_t room = kRoom + (encoding() == Encoding::kListpack ? view().StoredSize() * 2 : 0);
  if (!ListpackView(packed_data()).Fits(room)) {
    ConvertToTable();
    return SetExpiryInTable(name, expiry_ms);
  }
  // The texts must not lie in the listpack that is changed.
  const std::string value(field.value.Text(digits));
  const std::string own_name(name);
  if (encoding() == Encoding::kListpack) ConvertToListpackEx();
  Listpack listpack(packed());
  const Offset found = listpack.Find(listpack.First(), own_name, Stride() - 1);
  PINYON_ASSERT(found != ListpackView::kEnd);
  listpack.Delete(found, Stride());
  InsertByExpiry(&listpack, own_name, value, expiry_ms);
  ExpiriesChanged();
  return true;
}

void HashValue::InsertByExpiry(Listpack* listpack, std::string_view name, std::string_view value,
                               int64_t expiry_ms) {
  PackedElement::Digits digits;
  const auto triplet = Triplet(name, value, expiry_ms, &digits);
  Offset at = listpack->First();
  if (expiry_ms == Field::kNoExpiry) at = ListpackView::kEnd;
  const HashView reader = view();
  while (at != ListpackView::kEnd) {
    const Offset here = at;
    const int64_t other_ms = reader.ReadPacked(*listpack, &at).expiry_ms;
    if (other_ms != Field::kNoExpiry && other_ms <= expiry_ms) continue;
    at = here;
    break;
  }
  if (at == ListpackView::kEnd) return listpack->AppendAll(triplet.data(), triplet.size());
  at = listpack->InsertBefore(at, triplet[0]);
  at = listpack->InsertAfter(at, triplet[1]);
  listpack->InsertAfter(at, triplet[2]);
}

// --- what has expired ---

size_t HashValue::RemoveExpired(size_t limit) {
  PINYON_ASSERT(!db().keyspace().hides_expired_only() && !view().AllExpired());
  if (!view().HasExpired()) return 0;
  const size_t removed = IsPacked() ? RemoveExpiredPacked() : RemoveExpiredFromTable(limit);
  ExpiriesChanged();
  return removed;
}

size_t HashValue::RemoveExpiredPacked() {
  Listpack listpack(packed());
  const HashView reader = view();
  std::vector<std::string> names;
  PackedElement::Digits digits;
  for (Offset at = listpack.First(); at != ListpackView::kEnd;) {
    const HashField field = reader.ReadPacked(listpack, &at);
    if (!reader.IsExpired(field.expiry_ms)) break;
    names.emplace_back(field.name.Text(digits));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  ReportExpired(views);
  listpack.Delete(listpack.First(), names.size() * Stride());
  return names.size();
}

size_t HashValue::RemoveExpiredFromTable(size_t limit) {
  FieldTable& fields = table();
  std::vector<Field*> removed;
  fields.ExpireDue(now_ms(), [&](FieldTable::Position position) {
    removed.push_back(fields.Remove(position));
    return removed.size() < limit;
  });
  if (removed.empty()) return 0;
  std::vector<std::string_view> names;
  names.reserve(removed.size());
  for (const Field* field : removed) names.push_back(field->key());
  ReportExpired(names);
  for (Field* field : removed) {
    Field::Delete(field);
    fields.Tidy();
  }
  return removed.size();
}

// --- conversions ---

void HashValue::ConvertToTable() {
  PINYON_ASSERT(IsPacked());
  auto fields = std::make_unique<FieldTable>(seed());
  fields->ExpireDue(now_ms(), [](FieldTable::Position) { return true; });
  const HashView reader = view();
  const ListpackView listpack(packed_data());
  PackedElement::Digits name_digits, value_digits;
  for (Offset at = listpack.First(); at != ListpackView::kEnd;) {
    const HashField field = reader.ReadPacked(listpack, &at);
    const std::string_view name = field.name.Text(name_digits);
    fields->Insert(Field::New(name, field.value.Text(value_digits), field.expiry_ms), fields->Hash(name));
  }
  BecomeObject(Encoding::kHashtable, fields.release());
}

void HashValue::ConvertToListpackEx() {
  PINYON_ASSERT(encoding() == Encoding::kListpack);
  PackedBlock bytes;
  Listpack::InitEmpty(bytes);
  Listpack converted(bytes);
  PackedElement::Digits name_digits, value_digits, expiry_digits;
  view().ForEach([&](const HashField& field) {
    const auto triplet = Triplet(field.name.Text(name_digits), field.value.Text(value_digits),
                                 Field::kNoExpiry, &expiry_digits);
    converted.AppendAll(triplet.data(), triplet.size());
  });
  BecomePacked(Encoding::kListpackEx, bytes.data(), bytes.size());
}

}  // namespace pinyon
