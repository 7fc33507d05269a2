// How members of sets are replied.
#pragma once

#include "engine/call.h"
#include "keyspace/set_view.h"

namespace pinyon {

inline void ReplyElement(ReplyWriter& reply, const PackedElement& element) {
  element.is_integer ? reply.BulkInteger(element.integer) : reply.Bulk(element.text);
}

// The elements alone, without a header.
inline void ReplyMembers(ReplyWriter& reply, SetView set) {
  SetReader reader(set);
  for (PackedElement element; reader.Next(&element);) ReplyElement(reply, element);
}

}  // namespace pinyon
