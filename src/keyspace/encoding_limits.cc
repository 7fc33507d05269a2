#include "keyspace/encoding_limits.h"

#include <climits>

namespace pinyon {

void EncodingLimits::Declare(SettingsRegistry& registry) {
  const auto entries = [&registry](std::string_view name, int64_t* target, std::string_view alias = {}) {
    registry.AddInteger(
        name, {.target = target, .min = 0, .max = LONG_MAX, .default_value = *target, .alias = alias});
  };
  const auto bytes = [&registry](std::string_view name, int64_t* target, std::string_view alias = {}) {
    registry.AddMemory(name, {.target = target, .min = 0, .default_value = *target, .alias = alias});
  };
  entries("hash-max-listpack-entries", &hash_max_listpack_entries, "hash-max-ziplist-entries");
  bytes("hash-max-listpack-value", &hash_max_listpack_value, "hash-max-ziplist-value");
  entries("set-max-intset-entries", &set_max_intset_entries);
  entries("set-max-listpack-entries", &set_max_listpack_entries);
  bytes("set-max-listpack-value", &set_max_listpack_value);
  entries("zset-max-listpack-entries", &zset_max_listpack_entries, "zset-max-ziplist-entries");
  bytes("zset-max-listpack-value", &zset_max_listpack_value, "zset-max-ziplist-value");
  registry.AddInteger("list-max-listpack-size", {.target = &list_max_listpack_size,
                                                 .min = INT_MIN,
                                                 .max = INT_MAX,
                                                 .default_value = list_max_listpack_size,
                                                 .alias = "list-max-ziplist-size"});
  registry.AddInteger("list-compress-depth", {.target = &list_compress_depth, .min = 0, .max = INT_MAX});
  bytes("hll-sparse-max-bytes", &hll_sparse_max_bytes);
}

}  // namespace pinyon
