// How many bytes a value takes in a snapshot, compression aside: serializedlength of DEBUG OBJECT. (Redis RDB
// file format: lengths, strings, and the encodings of collections.) Costs what writing it would.
#pragma once

#include <cstddef>

#include "keyspace/entry.h"

namespace pinyon {

size_t SerializedBytes(const Entry* entry);

}  // namespace pinyon
