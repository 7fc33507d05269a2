#include "types/field.h"

#include <cstring>

#include "base/alloc.h"
#include "base/assert.h"
#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<Field>;

bool Field::IsWide(size_t name_length, size_t value_length, bool extended) {
  return name_length > 0xff || value_length > 0xff || (!extended && name_length >= kExtended);
}

size_t Field::HeadBytes(bool extended, bool wide, bool has_expiry) {
  if (!extended) return 2;
  return 1 + (wide ? size_t{8} : size_t{2}) + (has_expiry ? sizeof(int64_t) : 0);
}

Field* Field::New(std::string_view name, std::string_view value, int64_t expiry_ms) {
  PINYON_CHECK(name.size() <= UINT32_MAX && value.size() <= UINT32_MAX);
  const bool has_expiry = expiry_ms != kNoExpiry;
  const bool extended = has_expiry || IsWide(name.size(), value.size(), false);
  const bool wide = extended && IsWide(name.size(), value.size(), true);
  const size_t head = HeadBytes(extended, wide, has_expiry);
  uint8_t* bytes = static_cast<uint8_t*>(mem::Allocate(head + name.size() + value.size()));
  uint8_t* lengths = bytes;
  if (extended) {
    *lengths++ = static_cast<uint8_t>(kExtended | (wide ? kWide : 0) | (has_expiry ? kHasExpiry : 0));
  }
  if (wide) {
    const uint32_t both[] = {static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size())};
    std::memcpy(lengths, both, sizeof both);
  } else {
    lengths[0] = static_cast<uint8_t>(name.size());
    lengths[1] = static_cast<uint8_t>(value.size());
  }
  Field* field = reinterpret_cast<Field*>(bytes);
  if (has_expiry) std::memcpy(bytes + field->ExpiryOffset(), &expiry_ms, sizeof expiry_ms);
  if (!name.empty()) std::memcpy(bytes + head, name.data(), name.size());
  if (!value.empty()) std::memcpy(bytes + head + name.size(), value.data(), value.size());
  return field;
}

void Field::Delete(Field* field) { mem::Free(field, field->AllocatedBytes()); }

Field::Layout Field::ReadLayout() const {
  if ((bytes_[0] & kExtended) == 0) return {bytes_[0], bytes_[1], 2};
  const size_t head = HeadBytes(true, (bytes_[0] & kWide) != 0, HasExpiry());
  if ((bytes_[0] & kWide) == 0) return {bytes_[1], bytes_[2], head};
  uint32_t both[2];
  std::memcpy(both, bytes_ + 1, sizeof both);
  return {both[0], both[1], head};
}

std::string_view Field::key() const {
  const Layout layout = ReadLayout();
  return {reinterpret_cast<const char*>(bytes_) + layout.head_bytes, layout.name_length};
}

std::string_view Field::value() const {
  const Layout layout = ReadLayout();
  return {reinterpret_cast<const char*>(bytes_) + layout.head_bytes + layout.name_length,
          layout.value_length};
}

int64_t Field::expiry_ms() const {
  if (!HasExpiry()) return kNoExpiry;
  int64_t expiry_ms;
  std::memcpy(&expiry_ms, bytes_ + ExpiryOffset(), sizeof expiry_ms);
  return expiry_ms;
}

void Field::set_expiry_ms(int64_t expiry_ms) {
  PINYON_ASSERT(HasExpiry() && expiry_ms != kNoExpiry);
  std::memcpy(bytes_ + ExpiryOffset(), &expiry_ms, sizeof expiry_ms);
}

size_t Field::AllocatedBytes() const {
  const Layout layout = ReadLayout();
  return layout.head_bytes + layout.name_length + layout.value_length;
}

bool Field::RewriteInPlace(std::string_view value) {
  const Layout layout = ReadLayout();
  const bool extended = (bytes_[0] & kExtended) != 0;
  const bool wide = extended && (bytes_[0] & kWide) != 0;
  if (IsWide(layout.name_length, value.size(), extended) != wide) return false;
  const size_t fixed = layout.head_bytes + layout.name_length;
  if (!mem::SameClass(fixed + layout.value_length, fixed + value.size())) return false;
  uint8_t* lengths = bytes_ + (extended ? 1 : 0);
  if (wide) {
    const uint32_t length = static_cast<uint32_t>(value.size());
    std::memcpy(lengths + sizeof length, &length, sizeof length);
  } else {
    lengths[1] = static_cast<uint8_t>(value.size());
  }
  if (!value.empty()) std::memcpy(bytes_ + fixed, value.data(), value.size());
  return true;
}

}  // namespace pinyon
