// What a command did to fields of the hash under its key, said once: the notifications in Redis's order, the
// count of changes, and the effects, whose times are absolute.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "commands/hash_common.h"
#include "engine/call.h"

namespace pinyon {

class FieldEffects {
 public:
  explicit FieldEffects(Call& call) : call_(call) {}

  void Expires(std::string_view field) { Note(&expiring_, field); }
  void Persists(std::string_view field) { Note(&persisted_, field); }
  void Deleted(std::string_view field) { Note(&deleted_, field); }

  // Says it all; `when_ms` is the time of the fields that expire. A hash that is empty now is deleted.
  void Finish(const HashValue& hash, int64_t when_ms);

 private:
  struct Fields {
    size_t count = 0;
    std::vector<std::string_view> names;  // only while somebody listens
  };
  void Note(Fields* fields, std::string_view field) {
    ++fields->count;
    if (call_.Propagating()) fields->names.push_back(field);
  }
  void Propagate(std::initializer_list<std::string_view> head, const Fields& fields, bool with_count);

  Call& call_;
  Fields expiring_;
  Fields persisted_;
  Fields deleted_;
};

}  // namespace pinyon
