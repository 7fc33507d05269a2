// The numbers of the RDB format, versions 1 to 12 (Redis 1.x to 7.4). docs/rdb.md says which of them Pinyon
// reads and writes. A file is
//
//   "REDIS" and the version in four digits
//   records: an opcode and its data, or a value type, a key and a value
//   kEof and, from version 5 on, the CRC-64 of all before, little-endian (0: none was reckoned)
//
// Lengths are written in the shortest of these forms; the last one is no length, but says that a string
// follows in another form than its bytes:
//
//   00xxxxxx                  six bits                10000000 + u32, 10000001 + u64     big-endian
//   01xxxxxx xxxxxxxx         fourteen bits           11xxxxxx                           StringForm
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinyon::rdb {

inline constexpr int kOldestVersion = 1;
inline constexpr int kNewestVersion = 12;
// What Redis 7.0 writes and reads: everything but listpack sets (11) and fields that expire (12).
inline constexpr int kBaseVersion = 10;
inline constexpr int kSetListpackVersion = 11;
inline constexpr int kFieldExpiryVersion = 12;
// From here on a file ends with a checksum.
inline constexpr int kChecksumVersion = 5;

inline constexpr char kMagic[] = {'R', 'E', 'D', 'I', 'S'};
inline constexpr size_t kHeaderBytes = 9;

enum ValueCode : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZset = 3,  // scores as text
  kHash = 4,
  kZset2 = 5,  // scores as eight bytes
  kModulePreGa = 6,
  kModule = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,  // of ziplists
  kStreamListpacks = 15,
  kHashListpack = 16,
  kZsetListpack = 17,
  kListQuicklist2 = 18,  // of listpacks and plain elements
  kStreamListpacks2 = 19,
  kSetListpack = 20,
  kStreamListpacks3 = 21,
  kHashMetadataPreGa = 22,
  kHashListpackExPreGa = 23,
  kHashMetadata = 24,    // earliest expiry, then fields: expiry less the earliest plus one or 0, name, value
  kHashListpackEx = 25,  // earliest expiry, then a listpack of name, value, expiry by expiry
};

enum Opcode : uint8_t {
  kSlotInfo = 244,
  kFunction2 = 245,
  kFunctionPreGa = 246,
  kModuleAux = 247,
  kIdle = 248,
  kFreq = 249,
  kAux = 250,
  kResizeDb = 251,
  kExpireTimeMs = 252,
  kExpireTime = 253,
  kSelectDb = 254,
  kEof = 255,
};
inline constexpr uint8_t kFirstOpcode = kSlotInfo;

inline constexpr uint8_t kLength6 = 0x00;
inline constexpr uint8_t kLength14 = 0x40;
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;
inline constexpr uint8_t kLengthSpecial = 0xc0;

enum StringForm : uint8_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };

// The containers of kListQuicklist2.
inline constexpr uint64_t kContainerPlain = 1;
inline constexpr uint64_t kContainerPacked = 2;

// The first byte of a score of kZset, where it is not the length of a text.
inline constexpr uint8_t kScoreNan = 253;
inline constexpr uint8_t kScoreInfinity = 254;
inline constexpr uint8_t kScoreMinusInfinity = 255;

// What a module's data consists of.
enum ModuleOpcode : uint8_t {
  kModuleEof = 0,
  kModuleSint = 1,
  kModuleUint = 2,
  kModuleFloat = 3,
  kModuleDouble = 4,
  kModuleString = 5
};

// Below this Redis does not try to compress, and less gained is not worth it.
inline constexpr size_t kMinCompressBytes = 21;
inline constexpr size_t kMinCompressGain = 4;

// Behind the value in a DUMP payload: two bytes of version, eight of checksum.
inline constexpr size_t kDumpFooterBytes = 10;

}  // namespace pinyon::rdb
