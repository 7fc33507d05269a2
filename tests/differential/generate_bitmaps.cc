// Bitmaps: SETBIT to BITFIELD, with all types and overflow modes.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

// Accepted offsets stay small, so that no 512 MiB strings are made.
std::string BitOffset(Random& random) {
  if (random.OneIn(8)) {
    return random.Pick(
        {"-1", "4294967296", "9223372036854775807", "abc", "", "1.5", "-9223372036854775808", "#1"});
  }
  return std::to_string(random.Below(random.OneIn(5) ? 2000 : 70));
}

Args SetBit(Random& random) {
  return {"SETBIT", Key(random), BitOffset(random),
          random.OneIn(10) ? random.Pick({"2", "-1", "abc", "", "01"}) : random.Pick({"0", "1", "1"})};
}

Args GetBit(Random& random) { return {"GETBIT", Key(random), BitOffset(random)}; }

std::string Unit(Random& random) {
  return random.OneIn(8) ? random.Pick({"BITS", "", "BYTES", "1"})
                         : Word(random, random.OneIn(2) ? "BYTE" : "BIT");
}

Args BitCount(Random& random) {
  Args args = {"BITCOUNT", Key(random)};
  if (random.OneIn(4)) return args;
  args.push_back(Index(random));
  if (random.OneIn(10)) return args;
  args.push_back(Index(random));
  if (random.OneIn(2)) args.push_back(Unit(random));
  return args;
}

Args BitPos(Random& random) {
  Args args = {"BITPOS", Key(random),
               random.OneIn(10) ? random.Pick({"2", "-1", "abc"}) : random.Pick({"0", "1"})};
  if (random.OneIn(3)) return args;
  args.push_back(Index(random));
  if (random.OneIn(3)) return args;
  args.push_back(Index(random));
  if (random.OneIn(2)) args.push_back(Unit(random));
  return args;
}

Args BitOp(Random& random) {
  Args args = {"BITOP",
               random.OneIn(12) ? random.Pick({"NAND", "", "DIFF"})
                                : Word(random, random.Pick({"AND", "OR", "XOR", "NOT"})),
               Key(random)};
  for (size_t keys = 1 + random.Below(random.OneIn(6) ? 10 : 3); keys > 0; --keys)
    args.push_back(Key(random));
  return args;
}

std::string FieldType(Random& random) {
  if (random.OneIn(12))
    return random.Pick({"u64", "i65", "u0", "i0", "x8", "8", "", "u", "i-1", "u+8", "u08", "i8 "});
  if (random.OneIn(2)) return "u" + std::to_string(1 + random.Below(63));
  return "i" + std::to_string(1 + random.Below(64));
}

std::string FieldOffset(Random& random) {
  if (random.OneIn(12)) {
    return random.Pick(
        {"-1", "#-1", "#", "abc", "", "4294967296", "#9223372036854775807", "9223372036854775807", "##1"});
  }
  if (random.OneIn(3)) return "#" + std::to_string(random.Below(8));
  return std::to_string(random.Below(200));
}

Args BitField(Random& random) {
  const bool read_only = random.OneIn(5);
  Args args = {read_only ? "BITFIELD_RO" : "BITFIELD", Key(random)};
  for (size_t operations = random.Below(5); operations > 0; --operations) {
    switch (read_only && !random.OneIn(10) ? 0 : random.Below(5)) {
      case 0:
      case 1: args.insert(args.end(), {Word(random, "GET"), FieldType(random), FieldOffset(random)}); break;
      case 2:
        args.insert(args.end(),
                    {Word(random, "SET"), FieldType(random), FieldOffset(random), Integer(random)});
        break;
      case 3:
        args.insert(args.end(),
                    {Word(random, "INCRBY"), FieldType(random), FieldOffset(random), Integer(random)});
        break;
      default:
        args.insert(args.end(), {Word(random, "OVERFLOW"),
                                 random.OneIn(10) ? random.Pick({"", "NONE"})
                                                  : Word(random, random.Pick({"WRAP", "SAT", "FAIL"}))});
    }
  }
  return args;
}

Args SetValue(Random& random) { return {"SET", Key(random), Value(random)}; }
Args Look(Random& random) { return {random.Pick({"GET", "STRLEN", "TYPE"}), Key(random)}; }
Args Encoding(Random& random) { return {"OBJECT", "ENCODING", Key(random)}; }
Args Delete(Random& random) { return {"DEL", Key(random)}; }

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {SetBit,   SetBit,   SetBit,   GetBit,   GetBit, BitCount, BitCount, BitCount,
                             BitPos,   BitPos,   BitPos,   BitOp,    BitOp,  BitField, BitField, BitField,
                             BitField, BitField, SetValue, SetValue, Look,   Look,     Encoding, Delete};

}  // namespace

void AppendBitmaps(Random& random, const Pool&, std::vector<Step>& steps) {
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
