// How large a collection may grow in its compact encoding (listpack, intset) before it takes the one for
// large values, and the like: the directives of Redis, by their names. Owned by the server's configuration,
// read through the Keyspace.
#pragma once

#include <cstdint>

#include "base/settings.h"

namespace pinyon {

struct EncodingLimits {
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value = 64;
  int64_t set_max_intset_entries = 512;
  int64_t set_max_listpack_entries = 128;
  int64_t set_max_listpack_value = 64;
  int64_t zset_max_listpack_entries = 128;
  int64_t zset_max_listpack_value = 64;
  // Negative: bytes of a chunk, -1 to -5 for 4 to 64 KiB; positive: elements of a chunk.
  int64_t list_max_listpack_size = -2;
  // Chunks at each end of a list that are not compressed; 0: none is.
  int64_t list_compress_depth = 0;
  int64_t hll_sparse_max_bytes = 3000;
  // Not a directive (DEBUG QUICKLIST-PACKED-THRESHOLD): list elements of at least this many bytes stand alone
  // in a plain chunk.
  int64_t list_packed_threshold = int64_t{1} << 30;

  void Declare(SettingsRegistry& registry);
};

}  // namespace pinyon
