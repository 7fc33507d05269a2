// The compact encodings of Redis before 7.0 (ziplist, before 2.6 zipmap), made listpacks of while they are
// read. Neither is trusted: every length is checked against the bytes that are there.
//
//   ziplist   [bytes: u32][offset of the last: u32][elements: u16, 0xffff: many][element ...][0xff]
//   element   [length of the one before: u8, or 0xfe and u32][encoding][bytes]
//   encoding  00xxxxxx string, 6 bits of length     01xxxxxx xxxxxxxx 14 bits      10000000 and u32,
//   big-endian
//             0xc0 i16, 0xd0 i32, 0xe0 i64, 0xf0 i24, 0xfe i8, 0xf1 .. 0xfd: 0 .. 12
//
//   zipmap    [pairs: u8, from 254 on: count them][pair ...][0xff]
//   pair      [length][name][length][free: u8][value][free bytes]          length: u8 below 254, or 254 and
//   u32
//
// (https://redis.io/docs/latest/operate/oss_and_stack/reference/internals/, and "Redis RDB File Format" by
// Sripathi Krishnan.)
//
// Costs: one pass.
#pragma once

#include <span>
#include <string_view>

#include "persist/roomy_bytes.h"

namespace pinyon {

// Both put a listpack into `out` in the place of what it held, and return what is wrong, or null.
const char* ZiplistToListpack(std::string_view ziplist, RoomyBytes* out);
const char* ZipmapToListpack(std::string_view zipmap, RoomyBytes* out);

}  // namespace pinyon
