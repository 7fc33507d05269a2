#include "pubsub/message.h"

#include <cstring>

#include "base/numbers.h"

namespace pinyon {

namespace {

constexpr size_t kMaxHeaderChars = 1 + kMaxInt64Chars + 2;

char* Put(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* PutHeader(char* out, char type, size_t count) {
  *out++ = type;
  out += FormatUint64(count, out);
  return Put(out, "\r\n");
}

}  // namespace

BlockRef Message::Encode(char type) const {
  size_t most = kMaxHeaderChars;
  for (size_t i = 0; i < count_; ++i) most += kMaxHeaderChars + parts_[i].size() + 2;
  BlockRef block(SharedBlock::New(0, most));
  char* out = PutHeader(block->data(), type, count_);
  for (size_t i = 0; i < count_; ++i) {
    out = PutHeader(out, '$', parts_[i].size());
    out = Put(Put(out, parts_[i]), "\r\n");
  }
  block->set_length(static_cast<size_t>(out - block->data()));
  return block;
}

SharedBlock* Message::Encoded(bool resp3) {
  BlockRef& block = encoded_[resp3 ? 1 : 0];
  if (!block) block = Encode(resp3 ? '>' : '*');
  return block.get();
}

}  // namespace pinyon
