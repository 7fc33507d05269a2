// Whatever bytes a client sends, and however the network cuts them, the parser neither leaves its memory nor
// stops making progress, and understands the same requests as from all bytes at once.
//
// Input: [how to cut: 1 byte][seed of the cuts: 1 byte][what is sent ...]. In what is sent, 0xFF and two
// bytes (big endian) stand for that many letters, so that small inputs reach the large bulks and the limits
// of lines.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "request_feed.h"

namespace {

constexpr size_t kMaxSentBytes = 512 * 1024;
// More are not sent byte by byte: a line that is looked through again with every byte takes quadratic time.
constexpr size_t kMaxBytewise = 4096;

std::string Expand(const uint8_t* data, size_t size) {
  std::string sent;
  for (size_t i = 0; i < size && sent.size() < kMaxSentBytes; ++i) {
    if (data[i] == 0xFF && i + 2 < size) {
      sent.append(static_cast<size_t>(data[i + 1]) * 256 + data[i + 2], 'x');
      i += 2;
    } else {
      sent.push_back(static_cast<char>(data[i]));
    }
  }
  return sent;
}

class Cutter {
 public:
  Cutter(unsigned mode, unsigned seed, size_t total) : mode_(mode), state_(seed + 1) {
    if (mode_ <= 1 && total > kMaxBytewise) mode_ = 2;
  }
  size_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const size_t random = static_cast<size_t>(state_ >> 33);
    switch (mode_) {
      case 0: return 1;
      case 1: return 1 + random % 16;
      case 2: return 1 + random % 5000;
      default: return 1 + random % 100'000;
    }
  }

 private:
  unsigned mode_;
  uint64_t state_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string sent = Expand(data + 2, size - 2);
  const pinyon::RequestParser::Limits limits{
      .max_bulk_bytes = (data[0] & 8) != 0 ? 100'000 : 512LL * 1024 * 1024,
      .authenticated = (data[0] & 4) == 0};
  const size_t batch_requests = (data[0] & 16) != 0 ? 3 : 64;

  pinyon::RequestFeed feed(limits, batch_requests);
  Cutter cutter(data[0] & 3, data[1], sent.size());
  for (size_t offset = 0; offset < sent.size() && !feed.failed();) {
    const size_t count = std::min(cutter.Next(), sent.size() - offset);
    feed.Read(std::string_view(sent).substr(offset, count));
    offset += count;
  }

  const pinyon::ParsedAtOnce expected(sent, limits);
  if (feed.error().find("too big") == std::string::npos) {
    PINYON_CHECK(feed.error() == expected.error);
    PINYON_CHECK(feed.requests() == expected.requests);
  } else {
    // A line that is too long is noticed only while its end has not come: all at once it may have passed.
    PINYON_CHECK(feed.requests().size() <= expected.requests.size());
    PINYON_CHECK(std::equal(feed.requests().begin(), feed.requests().end(), expected.requests.begin()));
  }
  return 0;
}
