#include "commands/hash_field_effects.h"

namespace pinyon {

void FieldEffects::Propagate(std::initializer_list<std::string_view> head, const Fields& fields,
                             bool with_count) {
  if (fields.names.empty()) return;
  char count[kMaxInt64Chars];
  std::vector<std::string_view> effect(head);
  if (with_count) {
    effect.emplace_back("FIELDS");
    effect.emplace_back(count, FormatUint64(fields.names.size(), count));
  }
  effect.insert(effect.end(), fields.names.begin(), fields.names.end());
  call_.PropagateAs(Args(effect));
}

void FieldEffects::Finish(const HashValue& hash, int64_t when_ms) {
  const std::string_view key = call_.args[1];
  char when[kMaxInt64Chars];
  Propagate({"HPEXPIREAT", key, {when, FormatInt64(when_ms, when)}}, expiring_, true);
  Propagate({"HPERSIST", key}, persisted_, true);
  Propagate({"HDEL", key}, deleted_, false);
  const auto changed = [&](std::string_view event, const Fields& fields) {
    if (fields.count > 0) call_.Changed(kNotifyHash, event, key, static_cast<int64_t>(fields.count));
  };
  changed("hexpire", expiring_);
  changed("hpersist", persisted_);
  changed("hdel", deleted_);
  DeleteIfEmpty(call_, hash);
}

}  // namespace pinyon
