#include "resp/request_text.h"

#include "base/numbers.h"

namespace pinyon {

namespace {

void AppendHeader(std::string* text, char type, size_t value) {
  char header[kMaxInt64Chars + 3];
  header[0] = type;
  size_t length = 1 + FormatUint64(value, header + 1);
  header[length++] = '\r';
  header[length++] = '\n';
  text->append(header, length);
}

}  // namespace

void AppendRequest(std::string* text, std::span<const std::string_view> args) {
  AppendHeader(text, '*', args.size());
  for (const std::string_view arg : args) {
    AppendHeader(text, '$', arg.size());
    text->append(arg);
    text->append("\r\n");
  }
}

}  // namespace pinyon
