#include "engine/effects.h"

#include "base/assert.h"
#include "base/numbers.h"
#include "resp/request_text.h"

namespace pinyon {

namespace {

// What every unit's text starts with; left out when it delivers one effect.
constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";

// A buffer larger than this is not kept for the next unit.
constexpr size_t kKeepBytes = 64 * 1024;

}  // namespace

void Effects::Add(int database, Args effect) {
  PINYON_ASSERT(database >= 0 && !effect.empty());
  if (listener_ == nullptr) return;
  if (count_ == 0) text_.assign(kMulti);
  if (database != selected_database_) {
    char number[kMaxInt64Chars];
    const std::string_view select[] = {"SELECT", {number, FormatInt64(database, number)}};
    AppendRequest(&text_, select);
    selected_database_ = database;
  }
  AppendRequest(&text_, effect);
  ++count_;
}

bool Effects::EndUnit() {
  if (count_ == 0) return false;
  if (listener_ != nullptr) {
    std::string_view commands = text_;
    if (count_ == 1) {
      commands.remove_prefix(kMulti.size());
    } else {
      text_.append(kExec);
      commands = text_;
    }
    const uint64_t offset = listener_->Append(commands);
    PINYON_ASSERT(offset >= offset_);
    offset_ = offset;
  }
  count_ = 0;
  if (text_.capacity() > kKeepBytes) std::string().swap(text_);
  return true;
}

}  // namespace pinyon
