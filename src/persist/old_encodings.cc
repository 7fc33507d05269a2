#include "persist/old_encodings.h"

#include <cstring>

#include "types/listpack.h"

namespace pinyon {

namespace {

constexpr const char* kTooLarge = "too large for a listpack";
constexpr uint8_t kEnd = 0xff;

// Reads from bytes of which no more is there than it is asked for only if ok.
class Bytes {
 public:
  explicit Bytes(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  size_t at() const { return at_; }
  bool at_end() const { return at_ == text_.size(); }

  std::string_view Take(uint64_t size) {
    if (!ok_ || size > text_.size() - at_) {
      ok_ = false;
      return {};
    }
    at_ += static_cast<size_t>(size);
    return text_.substr(at_ - static_cast<size_t>(size), static_cast<size_t>(size));
  }
  // Little-endian; 0 when they are not there.
  template <typename T>
  T Number() {
    const std::string_view bytes = Take(sizeof(T));
    T value{};
    if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  uint8_t Byte() { return Number<uint8_t>(); }

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

uint32_t BigEndian(uint32_t value) { return __builtin_bswap32(value); }

bool Append(RoomyBytes* out, const PackedElement& element) {
  Listpack listpack(*out);
  if (!listpack.Fits(element.text.size())) return false;
  element.is_integer ? listpack.AppendInteger(element.integer) : listpack.Append(element.text);
  return true;
}

// --- ziplists ---

bool ReadZiplistString(Bytes* bytes, uint8_t first, PackedElement* element) {
  uint64_t length = first & 0x3f;
  if ((first & 0xc0) == 0x40) length = length << 8 | bytes->Byte();
  if ((first & 0xc0) == 0x80) length = BigEndian(bytes->Number<uint32_t>());
  element->text = bytes->Take(length);
  return bytes->ok();
}

bool ReadZiplistInteger(Bytes* bytes, uint8_t first, PackedElement* element) {
  element->is_integer = true;
  switch (first) {
    case 0xc0: element->integer = bytes->Number<int16_t>(); break;
    case 0xd0: element->integer = bytes->Number<int32_t>(); break;
    case 0xe0: element->integer = bytes->Number<int64_t>(); break;
    case 0xf0: {
      const uint16_t low = bytes->Number<uint16_t>();
      element->integer = low | bytes->Number<int8_t>() * 65536;
      break;
    }
    case 0xfe: element->integer = bytes->Number<int8_t>(); break;
    default:
      if (first < 0xf1 || first > 0xfd) return false;
      element->integer = (first & 0x0f) - 1;
  }
  return bytes->ok();
}

bool ReadZiplistElement(Bytes* bytes, PackedElement* element) {
  const uint8_t first = bytes->Byte();
  *element = {};
  return first < 0xc0 ? ReadZiplistString(bytes, first, element) : ReadZiplistInteger(bytes, first, element);
}

uint32_t ReadZipmapLength(Bytes* bytes, uint8_t first) {
  return first < 254 ? first : bytes->Number<uint32_t>();
}

}  // namespace

const char* ZiplistToListpack(std::string_view ziplist, RoomyBytes* out) {
  constexpr uint16_t kManyElements = 0xffff;
  Listpack::InitEmpty(*out);
  Bytes bytes(ziplist);
  const auto total = bytes.Number<uint32_t>();
  const auto last = bytes.Number<uint32_t>();
  const auto announced = bytes.Number<uint16_t>();
  if (!bytes.ok() || total != ziplist.size()) return "a ziplist's length is wrong";
  if (static_cast<uint8_t>(ziplist.back()) != kEnd) return "a ziplist has no end";

  size_t count = 0;
  size_t previous_start = bytes.at();
  while (bytes.at() + 1 < ziplist.size()) {
    const size_t start = bytes.at();
    const uint8_t short_length = bytes.Byte();
    const uint64_t said = short_length < 0xfe ? short_length : bytes.Number<uint32_t>();
    if (short_length == kEnd || said != start - previous_start) return "a ziplist's back length is wrong";
    PackedElement element;
    if (!ReadZiplistElement(&bytes, &element) || bytes.at_end()) return "a ziplist's element is damaged";
    if (!Append(out, element)) return kTooLarge;
    previous_start = start;
    ++count;
  }
  if (last != previous_start) return "a ziplist's offset of the last element is wrong";
  if (announced != kManyElements && announced != count) return "a ziplist's count is wrong";
  return nullptr;
}

const char* ZipmapToListpack(std::string_view zipmap, RoomyBytes* out) {
  constexpr uint8_t kManyPairs = 254;
  Listpack::InitEmpty(*out);
  Bytes bytes(zipmap);
  const uint8_t announced = bytes.Byte();
  size_t pairs = 0;
  for (;; ++pairs) {
    const uint8_t first = bytes.Byte();
    if (!bytes.ok()) return "a zipmap has no end";
    if (first == kEnd) break;
    PackedElement name;
    PackedElement value;
    name.text = bytes.Take(ReadZipmapLength(&bytes, first));
    const uint8_t second = bytes.Byte();
    if (second == kEnd) return "a zipmap's name has no value";
    const uint32_t value_length = ReadZipmapLength(&bytes, second);
    const uint8_t unused = bytes.Byte();
    value.text = bytes.Take(value_length);
    bytes.Take(unused);
    if (!bytes.ok()) return "a zipmap's pair is damaged";
    if (!Append(out, name) || !Append(out, value)) return kTooLarge;
  }
  if (!bytes.at_end()) return "bytes stand behind the end of a zipmap";
  if (announced < kManyPairs && announced != pairs) return "a zipmap's count is wrong";
  return nullptr;
}

}  // namespace pinyon
