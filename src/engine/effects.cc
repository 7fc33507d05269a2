#include "engine/effects.h"

#include "base/assert.h"
#include "base/numbers.h"

namespace pinyon {

namespace {

// What every unit's text starts with; left out when it delivers one effect.
constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";

// A buffer larger than this is not kept for the next unit.
constexpr size_t kKeepBytes = 64 * 1024;

void AppendHeader(std::string* text, char type, size_t value) {
  char header[kMaxInt64Chars + 3];
  header[0] = type;
  size_t length = 1 + FormatUint64(value, header + 1);
  header[length++] = '\r';
  header[length++] = '\n';
  text->append(header, length);
}

}  // namespace

void Effects::Add(int database, Args effect) {
  PINYON_ASSERT(database >= 0 && !effect.empty());
  if (listener_ == nullptr) return;
  if (count_ == 0) text_.assign(kMulti);
  if (database != selected_database_) {
    char number[kMaxInt64Chars];
    const std::string_view select[] = {"SELECT", {number, FormatInt64(database, number)}};
    Encode(select);
    selected_database_ = database;
  }
  Encode(effect);
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

void Effects::Encode(Args command) {
  AppendHeader(&text_, '*', command.size());
  for (const std::string_view arg : command) {
    AppendHeader(&text_, '$', arg.size());
    text_.append(arg);
    text_.append("\r\n");
  }
}

}  // namespace pinyon
