#include "types/member.h"

#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<Member>;

}  // namespace pinyon
