// The digests of DEBUG DIGEST and DEBUG DIGEST-VALUE, equal for equal data on this server and on Redis,
// whatever the encodings are. Built of two operations on 20 bytes:
//
//   xor(text)   digest ^= SHA1(text)                       where order does not matter
//   mix(text)   xor(text), then digest = SHA1(digest)      where it does
//
//   all data    mix(number of the database, four bytes, big-endian), then xor(digest of the key) of each of
//               its keys; for each database that has keys
//   a key       mix(key), then its value
//   a value     mix(type, four bytes, big-endian: string 0, list 1, set 2, sorted set 3, hash 4), then
//               mix of a string, or of each element of a list; xor of each member of a set; for each pair of
//               a sorted set (member, score) or hash (field, value) xor of a digest into which both were
//               mixed; at last xor("!!expire!!") if the key has an expiry
//
// (Found by comparison with a redis-server.)
#pragma once

#include <string>
#include <string_view>

#include "base/sha1.h"
#include "keyspace/keyspace.h"

namespace pinyon {

class DataDigest {
 public:
  // Of everything.
  static Sha1Digest OfKeyspace(const Keyspace& keyspace);
  // Of a value alone, without its key.
  static Sha1Digest OfValue(const Entry* entry, int64_t now_ms);

  static std::string Hex(const Sha1Digest& digest);
};

}  // namespace pinyon
