// Whatever bytes a string holds that claims to be a HyperLogLog: nothing reads or writes outside it, corrupt
// values are left alone, and sound ones behave like an array of registers.
//
// Input: [what to add: 3 bytes each, their number in the first byte][the value behind "HYLL"].
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "types/hyperloglog.h"

namespace {

using namespace pinyon;

constexpr size_t kSparseMaxBytes = 100;

std::string_view View(const PackedBytes& value) {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

void CheckReading(std::string_view value) {
  uint64_t count;
  hll::Registers registers;
  const bool sound = hll::IsSound(value);
  PINYON_CHECK(hll::Count(value, &count) == sound);
  PINYON_CHECK(hll::MergeInto(registers, value) == sound);
  if (sound) PINYON_CHECK(hll::Count(registers) == count);
  if (hll::FormOf(value) == hll::Form::kSparse) hll::Describe(value);
}

void CheckAdd(PackedBytes& value, hll::Observation seen) {
  const std::string before(View(value));
  const bool was_sound = hll::IsSound(before);
  hll::Registers registers;
  if (was_sound) hll::MergeInto(registers, before);
  const hll::Outcome expected = hll::Probe(before, seen);
  const hll::Outcome outcome = hll::Add(value, seen, kSparseMaxBytes);
  // Only on the way to the dense form it may come to light that a value is corrupt.
  PINYON_CHECK(outcome == expected || (outcome == hll::Outcome::kCorrupt && !was_sound));
  if (outcome != hll::Outcome::kChanged) PINYON_CHECK(View(value) == before);
  PINYON_CHECK(hll::IsSound(View(value)) == was_sound);
  if (!was_sound) return;
  PINYON_CHECK((registers.ranks[seen.index] < seen.rank) == (outcome == hll::Outcome::kChanged));
  registers.ranks[seen.index] = std::max(registers.ranks[seen.index], seen.rank);
  hll::Registers after;
  hll::MergeInto(after, View(value));
  PINYON_CHECK(after.ranks == registers.ranks);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t additions = std::min<size_t>(data[0] % 32, (size - 1) / 3);
  const uint8_t* addition = data + 1;
  const uint8_t* body = addition + additions * 3;
  const std::string text = "HYLL" + std::string(reinterpret_cast<const char*>(body), data + size - body);
  if (!hll::IsHyperLogLog(text)) return 0;
  CheckReading(text);

  PackedBlock value;
  value.Resize(text.size());
  std::memcpy(value.data(), text.data(), text.size());
  for (size_t i = 0; i < additions; ++i, addition += 3) {
    const auto index = static_cast<uint16_t>((addition[0] << 8 | addition[1]) % hll::kRegisters);
    CheckAdd(value, {index, static_cast<uint8_t>(1 + addition[2] % 51)});
  }
  CheckReading(View(value));
  if (!hll::IsSound(View(value))) return 0;

  hll::Registers registers;
  hll::MergeInto(registers, text);
  hll::MergeInto(registers, View(value));
  PackedBlock target;
  target.Resize(hll::kEmpty.size());
  std::memcpy(target.data(), hll::kEmpty.data(), hll::kEmpty.size());
  hll::Store(target, registers, kSparseMaxBytes);
  hll::Registers stored;
  PINYON_CHECK(hll::MergeInto(stored, View(target)) && stored.ranks == registers.ranks);
  return 0;
}
