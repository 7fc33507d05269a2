// Whatever bytes ListpackView::Validate accepts can be read in both directions, searched and changed like the
// vector of strings that it is, and stays well-formed.
//
// Input: [what to repair: 1 byte][number of changes: 1 byte][changes, 3 bytes each ...][listpack ...].
// Repairing the total (1), the count (2) and the terminator (4) lets mutated elements get past the header.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../unit/packed_fixture.h"
#include "base/assert.h"
#include "types/listpack.h"

namespace {

using pinyon::Listpack;
using pinyon::ListpackView;
using pinyon::MovingBytes;
using Offset = ListpackView::Offset;
using Model = std::vector<std::string>;
constexpr Offset kEnd = ListpackView::kEnd;
constexpr size_t kChangeBytes = 3;
constexpr size_t kMaxElements = 200;  // each change compares all

std::string TextAt(const ListpackView& pack, Offset at) {
  pinyon::PackedElement::Digits digits;
  return std::string(pack.Get(at).Text(digits));
}

Model Read(const ListpackView& pack) {
  Model texts;
  for (Offset at = pack.First(); at != kEnd; at = pack.Next(at)) texts.push_back(TextAt(pack, at));
  return texts;
}

void CheckEqual(const MovingBytes& bytes, const ListpackView& pack, const Model& model) {
  PINYON_CHECK(pack.data() == bytes.data() && pack.bytes() == bytes.size());
  PINYON_CHECK(ListpackView::Validate(bytes.data(), bytes.size()));
  PINYON_CHECK(pack.size() == model.size());
  PINYON_CHECK(Read(pack) == model);
  size_t left = model.size();
  for (Offset at = pack.Last(); at != kEnd; at = pack.Previous(at)) {
    PINYON_CHECK(left > 0 && pack.Equals(at, model[--left]));
  }
  PINYON_CHECK(left == 0);
}

void CheckFind(const ListpackView& pack, const Model& model, std::string_view text, size_t skip) {
  const Offset found = pack.Find(pack.First(), text, skip);
  size_t place = 0;
  while (place < model.size() && model[place] != text) place += skip + 1;
  PINYON_CHECK(found == (place < model.size() ? pack.Seek(static_cast<int64_t>(place)) : kEnd));
}

// Texts that depend on one byte: elements there are, small and large integers, strings of any encoding.
std::string TextOf(uint8_t choice, const Model& model) {
  if (choice < 64 && !model.empty()) return model[choice % model.size()];
  if (choice < 128) return std::to_string(int64_t{choice - 96} << (choice % 59));
  return std::string(static_cast<size_t>(choice - 128) * 40, 'x');
}

void Change(Listpack& pack, Model& model, const uint8_t* change) {
  const std::string text = TextOf(change[2], model);
  CheckFind(pack, model, text, change[1] % 3);
  const size_t place = model.empty() ? 0 : change[1] % model.size();
  const auto position = model.begin() + static_cast<std::ptrdiff_t>(place);
  const Offset at = pack.Seek(static_cast<int64_t>(place));
  switch (change[0] % 6) {
    case 0:
      pack.Append(text);
      model.push_back(text);
      break;
    case 1:
      pack.Prepend(text);
      model.insert(model.begin(), text);
      break;
    case 2:
      pack.InsertBefore(at, text);
      model.insert(position, text);
      break;
    case 3:
      if (at == kEnd) break;
      pack.Replace(at, text);
      model[place] = text;
      break;
    case 4: {
      if (at == kEnd) break;
      const size_t count = std::min<size_t>(change[2] % 4, model.size() - place);
      pack.Delete(at, change[2] % 4);
      model.erase(position, position + static_cast<std::ptrdiff_t>(count));
      break;
    }
    default: {
      const MovingBytes copy(std::string_view(reinterpret_cast<const char*>(pack.data()), pack.bytes()));
      pack.AppendListpack(ListpackView(copy.data()));
      const Model doubled = model;
      model.insert(model.end(), doubled.begin(), doubled.end());
    }
  }
}

void Repair(std::string& bytes, uint8_t what) {
  if (bytes.size() < ListpackView::kEmptyBytes) return;
  const auto total = static_cast<uint32_t>(bytes.size());
  if ((what & 1) != 0) std::memcpy(bytes.data(), &total, sizeof(total));
  if ((what & 2) != 0) bytes[4] = bytes[5] = '\xff';
  if ((what & 4) != 0) bytes.back() = '\xff';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size - 2 < data[1] * kChangeBytes) return 0;
  const uint8_t* const changes = data + 2;
  const size_t change_count = data[1];
  std::string given(reinterpret_cast<const char*>(data) + 2 + change_count * kChangeBytes,
                    size - 2 - change_count * kChangeBytes);
  Repair(given, data[0]);

  MovingBytes bytes(given);
  if (!ListpackView::Validate(bytes.data(), bytes.size())) return 0;
  PINYON_CHECK(ListpackView::Validate(bytes.data(), bytes.size(), false));
  Listpack pack(bytes);
  Model model = Read(pack);
  CheckEqual(bytes, pack, model);
  for (size_t i = 0; i < change_count && model.size() <= kMaxElements; ++i) {
    Change(pack, model, changes + i * kChangeBytes);
    CheckEqual(bytes, pack, model);
  }
  return 0;
}
