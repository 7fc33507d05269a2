#include "engine/invalidation.h"

#include "resp/reply_writer.h"

namespace pinyon {

SharedBlock* Invalidation::Encoded(bool resp3) {
  BlockRef& block = encoded_[resp3 ? 1 : 0];
  if (block) return block.get();
  StringSink sink;
  ReplyWriter writer(&sink);
  writer.set_resp3(resp3);
  if (resp3) {
    writer.PushHeader(2);
    writer.Bulk("invalidate");
  } else {
    writer.PushHeader(3);
    writer.Bulk("message");
    writer.Bulk("__redis__:invalidate");
  }
  if (all_) {
    writer.Null();
  } else {
    writer.ArrayHeader(keys_.size());
    for (const std::string_view key : keys_) writer.Bulk(key);
  }
  block = BlockRef(SharedBlock::Copy(sink.text()));
  return block.get();
}

BlockRef EncodeBrokenRedirect(uint64_t id) {
  StringSink sink;
  ReplyWriter writer(&sink);
  writer.set_resp3(true);
  writer.PushHeader(2);
  writer.Bulk("tracking-redir-broken");
  writer.Integer(static_cast<int64_t>(id));
  return BlockRef(SharedBlock::Copy(sink.text()));
}

}  // namespace pinyon
