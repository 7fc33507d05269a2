// The keyspace's table: entries by key.
#pragma once

#include "keyspace/entry.h"
#include "types/hash_table.h"

namespace pinyon {

extern template class HashTable<Entry>;
using Table = HashTable<Entry>;

}  // namespace pinyon
