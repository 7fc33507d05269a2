#include "keyspace/table.h"

#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<Entry>;

}  // namespace pinyon
