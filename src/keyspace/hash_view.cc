#include "keyspace/hash_view.h"

#include <unordered_set>
#include <utility>

namespace pinyon {

HashField HashView::Read(const Field& field) {
  return {.name = {.text = field.key()}, .value = {.text = field.value()}, .expiry_ms = field.expiry_ms()};
}

HashField HashView::ReadPacked(const ListpackView& listpack, ListpackView::Offset* at) const {
  HashField field;
  field.name = listpack.Get(*at);
  const ListpackView::Offset value_at = listpack.Next(*at);
  field.value = listpack.Get(value_at);
  *at = listpack.Next(value_at);
  if (encoding() == Encoding::kListpack) return field;
  const PackedElement expiry = listpack.Get(*at);
  PINYON_ASSERT(expiry.is_integer);
  if (expiry.integer != 0) field.expiry_ms = expiry.integer;
  *at = listpack.Next(*at);
  return field;
}

size_t HashView::StoredSize() const { return IsPacked() ? packed().size() / Stride() : table().size(); }

bool HashView::Find(std::string_view name, HashField* field) const {
  if (IsPacked()) {
    const ListpackView listpack = packed();
    ListpackView::Offset at = listpack.Find(listpack.First(), name, Stride() - 1);
    if (at == ListpackView::kEnd) return false;
    *field = ReadPacked(listpack, &at);
  } else {
    const FieldTable::Position position = table().Find(name, table().Hash(name));
    if (!position) return false;
    *field = Read(*position.entry());
  }
  return !IsExpired(field->expiry_ms);
}

std::vector<HashField> HashView::Collect() const {
  std::vector<HashField> fields;
  fields.reserve(StoredSize());
  ForEach([&](const HashField& field) { fields.push_back(field); });
  return fields;
}

uint64_t HashView::Scan(uint64_t cursor, size_t count,
                        const std::function<void(const HashField&)>& visit) const {
  if (IsPacked()) {
    ForEach(visit);
    return 0;
  }
  return table().ScanItems(cursor, count, [&](const Field* field) {
    if (!IsExpired(field->expiry_ms())) visit(Read(*field));
  });
}

// --- expiries ---

int64_t HashView::ExpiryOfFirst() const {
  PINYON_ASSERT(encoding() == Encoding::kListpackEx);
  const ListpackView listpack = packed();
  ListpackView::Offset at = listpack.First();
  return at == ListpackView::kEnd ? Field::kNoExpiry : ReadPacked(listpack, &at).expiry_ms;
}

bool HashView::HasExpiring() const {
  switch (encoding()) {
    case Encoding::kListpack: return false;
    case Encoding::kListpackEx: return ExpiryOfFirst() != Field::kNoExpiry;
    default: return table().expiring() > 0;
  }
}

int64_t HashView::EarliestExpiryMs() const {
  if (!HasExpiring()) return kNothingExpires;
  return encoding() == Encoding::kListpackEx ? ExpiryOfFirst() : table().EarliestDueMs();
}

bool HashView::AllExpired() const {
  if (!HasExpired()) return false;
  if (!IsPacked()) return table().expiring() == table().size() && !AnyLiveInTable();
  const PackedElement last = packed().Get(packed().Last());
  return last.integer != 0 && IsExpired(last.integer);
}

bool HashView::AnyLiveInTable() const {
  constexpr size_t kAtOnce = 64;
  bool any_live = false;
  uint64_t cursor = 0;
  do {
    cursor = table().Scan(cursor, kAtOnce,
                          [&](const Field* field) { any_live = any_live || !IsExpired(field->expiry_ms()); });
  } while (cursor != 0 && !any_live);
  return any_live;
}

size_t HashView::CountLive() const {
  size_t live = 0;
  ForEach([&](const HashField&) { ++live; });
  return live;
}

// --- random fields ---

void HashView::DrawRepeatedly(Random& random, uint64_t count,
                              const std::function<bool(const HashField&)>& visit) const {
  // In a packed hash a field is reached by going through it; and what has expired must not be drawn.
  if (IsPacked() || HasExpired()) {
    const std::vector<HashField> fields = Collect();
    PINYON_ASSERT(!fields.empty());
    for (; count > 0; --count) {
      if (!visit(fields[random.Below(fields.size())])) return;
    }
    return;
  }
  for (; count > 0; --count) {
    if (!visit(Read(*table().RandomPosition(random).entry()))) return;
  }
}

void HashView::DrawDistinct(Random& random, size_t count,
                            const std::function<void(const HashField&)>& visit) const {
  // Below this share of a table, drawing until a new one comes is less work than collecting all.
  constexpr size_t kFewOneIn = 3;
  if (!IsPacked() && !HasExpired() && count <= table().size() / kFewOneIn) {
    return DrawFromTable(random, count, visit);
  }
  // Each field in turn is taken with the odds that it is among those still to be chosen (selection sampling:
  // Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
  size_t left = size();
  PINYON_ASSERT(count <= left);
  ForEach([&](const HashField& field) {
    if (count == 0) return;
    if (random.Below(left--) >= count) return;
    --count;
    visit(field);
  });
  PINYON_ASSERT(count == 0);
}

void HashView::DrawFromTable(Random& random, size_t count,
                             const std::function<void(const HashField&)>& visit) const {
  std::unordered_set<const Field*> drawn;
  drawn.reserve(count);
  while (drawn.size() < count) {
    const Field* field = table().RandomPosition(random).entry();
    if (drawn.insert(field).second) visit(Read(*field));
  }
}

}  // namespace pinyon
