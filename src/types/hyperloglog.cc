#include "types/hyperloglog.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#include "base/assert.h"

namespace pinyon::hll {

namespace {

static_assert(std::endian::native == std::endian::little, "registers are read in words");
static_assert(kEmpty.size() == 18);

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kFormOffset = 4;
constexpr size_t kCountOffset = 8;
constexpr size_t kCountTopOffset = 15;
constexpr uint8_t kStale = 0x80;

constexpr unsigned kIndexBits = 14;
constexpr unsigned kRankBits = 64 - kIndexBits;  // a rank is at most one more
static_assert(kRegisters == size_t{1} << kIndexBits);
constexpr uint8_t kMaxRank = (1 << kRegisterBits) - 1;  // that a register can hold

const uint8_t* Bytes(std::string_view value) { return reinterpret_cast<const uint8_t*>(value.data()); }
std::string_view View(const PackedBytes& value) {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

// MurmurHash64A by Austin Appleby (public domain), whose seed is part of the format: servers have to agree.
uint64_t MurmurHash64A(std::string_view text, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr unsigned kShift = 47;
  uint64_t hash = seed ^ (text.size() * kMultiplier);
  const char* p = text.data();
  size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash ^ word) * kMultiplier;
  }
  if (left > 0) {
    uint64_t word = 0;
    std::memcpy(&word, p, left);
    hash = (hash ^ word) * kMultiplier;
  }
  hash ^= hash >> kShift;
  hash *= kMultiplier;
  return hash ^ (hash >> kShift);
}

// --- dense: `packed` is what follows the header ---

uint8_t GetRank(const uint8_t* packed, size_t index) {
  const size_t bit = index * kRegisterBits;
  const uint8_t* p = packed + bit / 8;
  const unsigned shift = bit % 8;
  unsigned word = p[0];
  if (shift > 8 - kRegisterBits) word |= static_cast<unsigned>(p[1]) << 8;
  return static_cast<uint8_t>((word >> shift) & kMaxRank);
}

void SetRank(uint8_t* packed, size_t index, uint8_t rank) {
  PINYON_ASSERT(rank <= kMaxRank);
  const size_t bit = index * kRegisterBits;
  uint8_t* p = packed + bit / 8;
  const unsigned shift = bit % 8;
  p[0] = static_cast<uint8_t>((p[0] & ~(unsigned{kMaxRank} << shift)) | unsigned{rank} << shift);
  if (shift > 8 - kRegisterBits) {
    const unsigned rest = 8 - shift;
    p[1] = static_cast<uint8_t>((p[1] & ~(unsigned{kMaxRank} >> rest)) | unsigned{rank} >> rest);
  }
}

constexpr size_t kGroup = 8;  // registers in six bytes, or in one word
constexpr size_t kGroupBytes = 6;

// Eight times six bits become eight bytes, by halves, quarters and eighths.
inline uint64_t Spread(uint64_t packed) {
  uint64_t x = (packed & 0xffffff) | ((packed >> 24) << 32);
  x = (x & 0x00000fff00000fff) | ((x & 0x00fff00000fff000) << 4);
  return (x & 0x003f003f003f003f) | ((x & 0x0fc00fc00fc00fc0) << 2);
}

inline uint64_t Gather(uint64_t spread) {
  uint64_t x = (spread & 0x003f003f003f003f) | ((spread & 0x3f003f003f003f00) >> 2);
  x = (x & 0x00000fff00000fff) | ((x & 0x0fff00000fff0000) >> 4);
  return (x & 0xffffff) | ((x >> 32) << 24);
}

inline uint64_t LoadGroup(const uint8_t* p) {
  uint32_t low;
  uint16_t high;
  std::memcpy(&low, p, sizeof low);
  std::memcpy(&high, p + sizeof low, sizeof high);
  return low | static_cast<uint64_t>(high) << 32;
}

void Unpack(const uint8_t* packed, Registers* registers) {
  uint8_t* out = registers->ranks.data();
  for (size_t i = 0; i < kRegisters; i += kGroup, packed += kGroupBytes) {
    const uint64_t group = Spread(LoadGroup(packed));
    std::memcpy(out + i, &group, sizeof group);
  }
}

void Pack(const Registers& registers, uint8_t* packed) {
  const uint8_t* in = registers.ranks.data();
  for (size_t i = 0; i < kRegisters; i += kGroup, packed += kGroupBytes) {
    uint64_t group;
    std::memcpy(&group, in + i, sizeof group);
    group = Gather(group);
    std::memcpy(packed, &group, kGroupBytes);
  }
}

// --- sparse ---

struct Opcode {
  enum class Kind : uint8_t { kZero, kLongZero, kValue };
  Kind kind;
  uint8_t rank;    // 0 for zeros
  uint16_t run;    // registers, 1 to 16384
  uint16_t bytes;  // 1 or 2
};

constexpr size_t kMaxValueRun = 4;
constexpr size_t kMaxZeroRun = 64;

// Reads the opcode at `offset`; false when there is none, or half of one.
inline bool ReadOpcode(std::string_view value, size_t offset, Opcode* opcode) {
  if (offset >= value.size()) return false;
  const uint8_t byte = Bytes(value)[offset];
  if ((byte & 0x80) != 0) {
    *opcode = {Opcode::Kind::kValue, static_cast<uint8_t>(((byte >> 2) & 0x1f) + 1),
               static_cast<uint16_t>((byte & 3) + 1), 1};
    return true;
  }
  if ((byte & 0x40) == 0) {
    *opcode = {Opcode::Kind::kZero, 0, static_cast<uint16_t>((byte & 0x3f) + 1), 1};
    return true;
  }
  if (offset + 1 >= value.size()) return false;
  const unsigned run = (static_cast<unsigned>(byte & 0x3f) << 8 | Bytes(value)[offset + 1]) + 1;
  *opcode = {Opcode::Kind::kLongZero, 0, static_cast<uint16_t>(run), 2};
  return true;
}

uint8_t ValueByte(uint8_t rank, size_t run) {
  PINYON_ASSERT(rank >= 1 && rank <= kMaxSparseRank && run >= 1 && run <= kMaxValueRun);
  return static_cast<uint8_t>(0x80u | static_cast<unsigned>(rank - 1) << 2 | static_cast<unsigned>(run - 1));
}

// Calls visit(first register, opcode) for each opcode; false when they describe more or fewer registers than
// there are, after visiting those that fit.
template <typename Visit>
bool ForEachOpcode(std::string_view value, Visit&& visit) {
  size_t first = 0;
  Opcode opcode;
  for (size_t offset = kHeaderBytes; offset < value.size(); offset += opcode.bytes) {
    if (!ReadOpcode(value, offset, &opcode) || opcode.run > kRegisters - first) return false;
    visit(first, opcode);
    first += opcode.run;
  }
  return first == kRegisters;
}

// Where an opcode starts, in bytes and in registers.
struct Place {
  size_t offset = kHeaderBytes;
  size_t first = 0;
};
struct Cursor {
  Place at;
  Place before;  // the opcode before; `at` when there is none
  Opcode opcode = {};
};

// Moves to the opcode of a register that does not lie before the cursor, and adds the places that it leaves
// to `trail` if there is one; false when the opcodes end before the register.
bool Seek(std::string_view value, size_t index, Cursor* cursor, std::vector<Place>* trail = nullptr) {
  PINYON_ASSERT(cursor->at.first <= index);
  while (ReadOpcode(value, cursor->at.offset, &cursor->opcode)) {
    if (index < cursor->at.first + cursor->opcode.run) return true;
    if (trail != nullptr) trail->push_back(cursor->at);
    cursor->before = cursor->at;
    cursor->at.offset += cursor->opcode.bytes;
    cursor->at.first += cursor->opcode.run;
  }
  return false;
}

// Runs of equal ranks that became neighbours are joined, as far as a VAL can say them. The reach is part of
// what makes values equal to those of other servers, byte for byte.
void JoinValues(PackedBytes& value, size_t offset) {
  constexpr int kReach = 5;
  Opcode opcode;
  Opcode next;
  size_t size = value.size();
  for (int i = 0; i < kReach && ReadOpcode(View(value).substr(0, size), offset, &opcode); ++i) {
    if (opcode.kind == Opcode::Kind::kValue && ReadOpcode(View(value).substr(0, size), offset + 1, &next) &&
        next.kind == Opcode::Kind::kValue && next.rank == opcode.rank &&
        size_t{opcode.run} + next.run <= kMaxValueRun) {
      uint8_t* p = value.data() + offset;
      p[0] = ValueByte(opcode.rank, size_t{opcode.run} + next.run);
      std::memmove(p + 1, p + 2, size - offset - 2);
      --size;
      continue;
    }
    offset += opcode.bytes;
  }
  value.Resize(size);
}

// The up to five bytes that take the place of one opcode.
struct Sequence {
  uint8_t bytes[5];
  size_t size = 0;

  // `run` registers as `like` has them.
  void Append(const Opcode& like, size_t run) {
    if (run == 0) return;
    if (like.kind == Opcode::Kind::kValue) {
      bytes[size++] = ValueByte(like.rank, run);
    } else if (run <= kMaxZeroRun) {
      bytes[size++] = static_cast<uint8_t>(run - 1);
    } else {
      bytes[size++] = static_cast<uint8_t>(0x40 | (run - 1) >> 8);
      bytes[size++] = static_cast<uint8_t>(run - 1);
    }
  }
};

// Raises a register of the opcode at the cursor to a rank above the opcode's. False, and nothing has changed,
// when the result could not be sparse.
bool RaiseSparse(PackedBytes& value, const Cursor& cursor, Observation seen, size_t max_bytes) {
  const Opcode& opcode = cursor.opcode;
  PINYON_ASSERT(opcode.rank < seen.rank);
  PINYON_ASSERT(seen.index >= cursor.at.first && seen.index < cursor.at.first + opcode.run);
  if (seen.rank > kMaxSparseRank) return false;
  const size_t ahead = seen.index - cursor.at.first;
  Sequence sequence;
  sequence.Append(opcode, ahead);
  sequence.bytes[sequence.size++] = ValueByte(seen.rank, 1);
  sequence.Append(opcode, opcode.run - ahead - 1);

  const size_t old_size = value.size();
  const size_t new_size = old_size - opcode.bytes + sequence.size;
  if (new_size > old_size && new_size - kHeaderBytes > max_bytes) return false;
  const size_t tail = old_size - cursor.at.offset - opcode.bytes;
  if (new_size > old_size) value.Resize(new_size);
  uint8_t* p = value.data() + cursor.at.offset;
  std::memmove(p + sequence.size, p + opcode.bytes, tail);
  std::memcpy(p, sequence.bytes, sequence.size);
  if (new_size < old_size) value.Resize(new_size);
  JoinValues(value, cursor.before.offset);
  return true;
}

// Raises a value's registers one by one, in ascending order: its opcodes become those of other servers, which
// depend on the way to them. False when it has to be dense, after raising some.
bool RaiseAllSparse(PackedBytes& value, const Registers& registers, size_t max_bytes) {
  Cursor cursor;
  std::vector<Place> trail;  // of all opcodes before the cursor
  for (size_t i = 0; i < kRegisters; ++i) {
    const uint8_t rank = registers.ranks[i];
    if (rank == 0) continue;
    [[maybe_unused]] const bool found = Seek(View(value), i, &cursor, &trail);
    PINYON_ASSERT(found);
    if (cursor.opcode.rank >= rank) continue;
    if (!RaiseSparse(value, cursor, {static_cast<uint16_t>(i), rank}, max_bytes)) return false;
    // What was joined starts with the opcode before: the one before that is where all is as it was.
    if (!trail.empty()) trail.pop_back();
    cursor.at = trail.empty() ? Place() : trail.back();
    if (!trail.empty()) trail.pop_back();
    cursor.before = trail.empty() ? cursor.at : trail.back();
  }
  return true;
}

bool UnpackSparse(std::string_view value, Registers* registers) {
  return ForEachOpcode(value, [&](size_t first, const Opcode& opcode) {
    std::memset(registers->ranks.data() + first, opcode.rank, opcode.run);
  });
}

// --- the estimate ---

// How many registers hold each rank. Ranks above 51 come only from outside and count for nothing.
using Histogram = std::array<uint32_t, kMaxRank + 1>;

Histogram CountRanks(const Registers& registers) {
  // Four, so that equal ranks in a row do not wait for each other's count.
  std::array<Histogram, 4> parts = {};
  for (size_t i = 0; i < kRegisters; i += parts.size()) {
    for (size_t k = 0; k < parts.size(); ++k) ++parts[k][registers.ranks[i + k] & kMaxRank];
  }
  Histogram sum = parts[0];
  for (size_t k = 1; k < parts.size(); ++k) {
    for (size_t rank = 0; rank < sum.size(); ++rank) sum[rank] += parts[k][rank];
  }
  return sum;
}

// Ertl's sigma and tau: the contributions of registers that are still zero and of those that are full.
double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double power = 1;
  double sum = x;
  for (double previous = -1; sum != previous; power += power) {
    x *= x;
    previous = sum;
    sum += x * power;
  }
  return sum;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0;
  double power = 1;
  double sum = 1 - x;
  for (double previous = -1; sum != previous;) {
    x = std::sqrt(x);
    previous = sum;
    power *= 0.5;
    sum -= (1 - x) * (1 - x) * power;
  }
  return sum / 3;
}

// Ertl, algorithm 6.
uint64_t Estimate(const Histogram& ranks) {
  constexpr double kAlphaInfinity = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr double m = kRegisters;
  double z = m * Tau((m - ranks[kRankBits + 1]) / m);
  for (size_t rank = kRankBits; rank > 0; --rank) z = 0.5 * (z + ranks[rank]);
  z += m * Sigma(ranks[0] / m);
  const double estimate = kAlphaInfinity * m * m / z;
  // Only with registers that no element gives, all above rank 51: infinity.
  constexpr double kTooMany = 0x1.0p63;
  return estimate < kTooMany ? static_cast<uint64_t>(std::llround(estimate)) : kInfiniteCount;
}

}  // namespace

bool IsHyperLogLog(std::string_view value) {
  if (value.size() < kHeaderBytes || !value.starts_with(kMagic)) return false;
  const uint8_t form = Bytes(value)[kFormOffset];
  if (form == static_cast<uint8_t>(Form::kDense)) return value.size() == kDenseBytes;
  return form == static_cast<uint8_t>(Form::kSparse);
}

Form FormOf(std::string_view value) {
  PINYON_ASSERT(IsHyperLogLog(value));
  return static_cast<Form>(value[kFormOffset]);
}

bool HasCachedCount(std::string_view value) { return (Bytes(value)[kCountTopOffset] & kStale) == 0; }

uint64_t CachedCount(std::string_view value) {
  uint64_t count;
  std::memcpy(&count, value.data() + kCountOffset, sizeof count);
  return count;
}

void SetCachedCount(uint8_t* value, uint64_t count) {
  // kInfiniteCount is never fresh: its one bit says so.
  PINYON_ASSERT(count <= kInfiniteCount);
  std::memcpy(value + kCountOffset, &count, sizeof count);
}

void DropCachedCount(uint8_t* value) { value[kCountTopOffset] |= kStale; }

Observation Observe(std::string_view element) {
  constexpr uint64_t kSeed = 0xadc83b19;
  const uint64_t hash = MurmurHash64A(element, kSeed);
  // A one above the bits of the rank ends the count where all of them are zero.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {static_cast<uint16_t>(hash & (kRegisters - 1)), static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

Outcome Probe(std::string_view value, Observation seen) {
  if (FormOf(value) == Form::kDense) {
    const uint8_t rank = GetRank(Bytes(value) + kHeaderBytes, seen.index);
    return rank < seen.rank ? Outcome::kChanged : Outcome::kSame;
  }
  Cursor cursor;
  if (!Seek(value, seen.index, &cursor)) return Outcome::kCorrupt;
  return cursor.opcode.rank < seen.rank ? Outcome::kChanged : Outcome::kSame;
}

Outcome Add(PackedBytes& value, Observation seen, size_t sparse_max_bytes) {
  if (FormOf(View(value)) == Form::kSparse) {
    Cursor cursor;
    if (!Seek(View(value), seen.index, &cursor)) return Outcome::kCorrupt;
    if (cursor.opcode.rank >= seen.rank) return Outcome::kSame;
    if (RaiseSparse(value, cursor, seen, sparse_max_bytes)) return Outcome::kChanged;
    if (!MakeDense(value)) return Outcome::kCorrupt;
  }
  uint8_t* packed = value.data() + kHeaderBytes;
  if (GetRank(packed, seen.index) >= seen.rank) return Outcome::kSame;
  SetRank(packed, seen.index, seen.rank);
  return Outcome::kChanged;
}

bool IsSound(std::string_view value) {
  return FormOf(value) == Form::kDense || ForEachOpcode(value, [](size_t, const Opcode&) {});
}

bool MakeDense(PackedBytes& value) {
  PINYON_ASSERT(FormOf(View(value)) == Form::kSparse);
  Registers registers;
  if (!UnpackSparse(View(value), &registers)) return false;
  value.Resize(kDenseBytes);
  value.data()[kFormOffset] = static_cast<uint8_t>(Form::kDense);
  Pack(registers, value.data() + kHeaderBytes);
  return true;
}

bool MergeInto(Registers& registers, std::string_view value) {
  uint8_t* ranks = registers.ranks.data();
  if (FormOf(value) == Form::kSparse) {
    return ForEachOpcode(value, [&](size_t first, const Opcode& opcode) {
      if (opcode.rank == 0) return;
      for (size_t i = first; i < first + opcode.run; ++i) ranks[i] = std::max(ranks[i], opcode.rank);
    });
  }
  Registers other;
  Unpack(Bytes(value) + kHeaderBytes, &other);
  for (size_t i = 0; i < kRegisters; ++i) ranks[i] = std::max(ranks[i], other.ranks[i]);
  return true;
}

void Store(PackedBytes& value, const Registers& registers, size_t sparse_max_bytes) {
  if (FormOf(View(value)) == Form::kSparse) {
    if (RaiseAllSparse(value, registers, sparse_max_bytes)) return;
    [[maybe_unused]] const bool sound = MakeDense(value);
    PINYON_ASSERT(sound);
  }
  Registers merged = registers;
  MergeInto(merged, View(value));
  Pack(merged, value.data() + kHeaderBytes);
}

bool Count(std::string_view value, uint64_t* count) {
  if (FormOf(value) == Form::kSparse) {
    Histogram ranks = {};
    if (!ForEachOpcode(value, [&](size_t, const Opcode& opcode) { ranks[opcode.rank] += opcode.run; })) {
      return false;
    }
    *count = Estimate(ranks);
    return true;
  }
  Registers registers;
  Unpack(Bytes(value) + kHeaderBytes, &registers);
  *count = Count(registers);
  return true;
}

uint64_t Count(const Registers& registers) { return Estimate(CountRanks(registers)); }

std::string Describe(std::string_view value) {
  PINYON_ASSERT(FormOf(value) == Form::kSparse);
  std::string text;
  auto out = std::back_inserter(text);
  // The second byte of an opcode that the end cuts off counts as zero, as in Redis.
  const std::string padded = std::string(value) + '\0';
  size_t offset = kHeaderBytes;
  Opcode opcode{};
  for (size_t i = 0; i < kRegisters && offset < value.size(); ++i, offset += opcode.bytes) {
    [[maybe_unused]] const bool found = ReadOpcode(padded, offset, &opcode);
    PINYON_ASSERT(found);
    const char* gap = i == 0 ? "" : " ";
    switch (opcode.kind) {
      case Opcode::Kind::kZero: fmt::format_to(out, "{}z:{}", gap, opcode.run); break;
      case Opcode::Kind::kLongZero: fmt::format_to(out, "{}Z:{}", gap, opcode.run); break;
      case Opcode::Kind::kValue: fmt::format_to(out, "{}v:{},{}", gap, opcode.rank, opcode.run); break;
    }
  }
  return text;
}

std::string SelfTest() {
  // Every register holds every rank without touching its neighbours.
  std::array<uint8_t, kDenseBytes - kHeaderBytes> packed = {};
  Registers expected;
  Registers unpacked;
  uint64_t state = 1;
  for (size_t round = 0; round < 8; ++round) {
    for (size_t i = 0; i < kRegisters; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      expected.ranks[i] = static_cast<uint8_t>(state >> 58);
      SetRank(packed.data(), i, expected.ranks[i]);
    }
    Unpack(packed.data(), &unpacked);
    if (unpacked.ranks != expected.ranks) return "registers do not unpack to what was packed";
    Pack(expected, packed.data());
    for (size_t i = 0; i < kRegisters; ++i) {
      if (GetRank(packed.data(), i) != expected.ranks[i]) {
        return fmt::format("register {} should be {} but is {}", i, expected.ranks[i],
                           GetRank(packed.data(), i));
      }
    }
  }

  // Sparse and dense agree, and the error stays within four standard errors.
  constexpr size_t kSparseMaxBytes = 3000;
  constexpr size_t kElements = 1'000'000;
  constexpr double kStandardError = 1.04 / 128;
  PackedBlock dense;
  PackedBlock sparse;
  for (PackedBlock* value : {&dense, &sparse}) {
    value->Resize(kEmpty.size());
    std::memcpy(value->data(), kEmpty.data(), kEmpty.size());
  }
  if (!MakeDense(dense)) return "the empty value is corrupt";
  size_t checkpoint = 1;
  for (size_t i = 1; i <= kElements; ++i) {
    const Observation seen = Observe({reinterpret_cast<const char*>(&i), sizeof i});
    if (Add(dense, seen, kSparseMaxBytes) != Add(sparse, seen, kSparseMaxBytes)) {
      return fmt::format("dense and sparse disagree at element {}", i);
    }
    if (i != checkpoint) continue;
    checkpoint *= 10;
    uint64_t dense_count;
    uint64_t sparse_count;
    if (!Count(View(dense), &dense_count) || !Count(View(sparse), &sparse_count)) return "a value is corrupt";
    const double error = std::abs(static_cast<double>(dense_count) - static_cast<double>(i));
    // The smallest counts are exact but for a collision.
    if (error > std::max(1.0, 4 * kStandardError * static_cast<double>(i)) || dense_count != sparse_count) {
      return fmt::format("the estimates for {} elements are {} (dense) and {} (sparse)", i, dense_count,
                         sparse_count);
    }
  }
  return "";
}

}  // namespace pinyon::hll
