// One message on its way to many: encoded when its first receiver needs it, once for each protocol version
// (they differ in the first byte), and shared by all receivers from then on.
//
// Costs: one block of the encoded size for each version in use; a receiver costs a reference to it, or a copy
// where the sink finds that cheaper (ReplySink::AppendShared). The parts are borrowed: they must outlive the
// message, the encoded block need not.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/shared_block.h"
#include "resp/reply_sink.h"

namespace pinyon {

class Message {
 public:
  // The elements of the push: what it is ("message"), then what it says.
  Message(std::string_view word, std::string_view channel, std::string_view payload)
      : parts_{word, channel, payload}, count_(3) {}
  Message(std::string_view word, std::string_view pattern, std::string_view channel, std::string_view payload)
      : parts_{word, pattern, channel, payload}, count_(4) {}
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  // The bytes for one protocol version; valid as long as the message, unless the caller keeps a reference.
  SharedBlock* Encoded(bool resp3);
  void WriteTo(ReplySink& sink, bool resp3) { sink.AppendShared(Encoded(resp3)); }

 private:
  BlockRef Encode(char type) const;

  std::array<std::string_view, 4> parts_;
  size_t count_;
  std::array<BlockRef, 2> encoded_;  // RESP2, RESP3
};

}  // namespace pinyon
