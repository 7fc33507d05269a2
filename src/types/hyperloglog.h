// HyperLogLog: an estimate, with a standard error of 0.81 %, of how many different elements were seen, in at
// most 12 KiB. Heule, Nunkesser, Hall, "HyperLogLog in Practice" (EDBT 2013): 64-bit hashes and a sparse
// form; Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv 1702.01284): the
// estimator.
//
// A value is a string that moves between servers as it is:
//
//   byte  0..3   "HYLL"
//         4      encoding: 0 dense, 1 sparse
//         5..7   unused
//         8..15  the last estimate, little-endian; the top bit says that it is stale
//         16..   the registers
//
//   dense        16384 registers of six bits, the lowest bits of the first byte first: 12288 bytes
//   sparse       00xxxxxx            x + 1 registers are 0                         (ZERO)
//                01xxxxxx yyyyyyyy   xy + 1 registers are 0                        (XZERO)
//                1vvvvvxx            x + 1 registers are v + 1                     (VAL)
//
// An element's hash gives a register and a rank, the number of trailing zeros of the rest and one; a register
// holds the highest rank seen. The sparse form ends when it grows beyond a limit or a rank exceeds 32.
//
// The bytes of a value may come from anywhere (SET, SETRANGE): everything here stays within them, and answers
// "corrupt" when sparse opcodes do not describe 16384 registers. Reading a sparse value takes time linear in
// its bytes, a dense register constant time; a dense estimate or union 5 to 15 us.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "types/packed_bytes.h"

namespace pinyon::hll {

inline constexpr size_t kRegisters = 16384;
inline constexpr size_t kRegisterBits = 6;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * kRegisterBits / 8;
inline constexpr uint8_t kMaxSparseRank = 32;
// The estimate of a value full of ranks that no element has.
inline constexpr uint64_t kInfiniteCount = uint64_t{1} << 63;

// What no element has been added to: one XZERO.
inline constexpr std::string_view kEmpty("HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff", kHeaderBytes + 2);

enum class Form : uint8_t { kDense = 0, kSparse = 1 };

// Whether a string is a value as above, by its header and, if dense, its length.
bool IsHyperLogLog(std::string_view value);
Form FormOf(std::string_view value);

// The estimate in the header.
bool HasCachedCount(std::string_view value);
uint64_t CachedCount(std::string_view value);
void SetCachedCount(uint8_t* value, uint64_t count);
void DropCachedCount(uint8_t* value);

// What an element says about a value.
struct Observation {
  uint16_t index;  // of a register
  uint8_t rank;    // 1 to 51
};
Observation Observe(std::string_view element);

enum class Outcome : uint8_t { kSame, kChanged, kCorrupt };

// What Add would do.
Outcome Probe(std::string_view value, Observation seen);
// Raises a register, and makes the value dense when its opcodes would take more than `sparse_max_bytes`. The
// cached estimate is left to the caller. A corrupt value is left as it is.
Outcome Add(PackedBytes& value, Observation seen, size_t sparse_max_bytes);

// Whether a value is not corrupt. A dense one never is.
bool IsSound(std::string_view value);

// Makes a sparse value dense; false, and nothing has changed, when it is corrupt.
bool MakeDense(PackedBytes& value);

// All registers, a byte each: what unions are computed in.
struct Registers {
  alignas(64) std::array<uint8_t, kRegisters> ranks = {};
};

// Raises `registers` to those of a value; false when it is corrupt, after which they are undefined.
bool MergeInto(Registers& registers, std::string_view value);
// Raises a value to `registers`. The value must not be corrupt. The cached estimate is left to the caller.
void Store(PackedBytes& value, const Registers& registers, size_t sparse_max_bytes);

// The estimate, computed anew; false when the value is corrupt.
bool Count(std::string_view value, uint64_t* count);
uint64_t Count(const Registers& registers);

// A sparse value's opcodes as text, "Z:16374 v:2,1 z:9": all of them, but no more than there are
// registers.
std::string Describe(std::string_view value);

// Checks packing of registers and the estimate's error up to a million elements, about 30 ms; an empty text,
// or what is wrong.
std::string SelfTest();

}  // namespace pinyon::hll
