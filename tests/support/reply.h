// One RESP2 or RESP3 reply as a tree, its parser and its printer.
//
// Deliberately independent of src/resp: a mistake there must not be able to hide here. The tree keeps the
// wire type of every node, so two replies are equal only when both the values and their RESP types are.
// Parsing copies every byte once; finding where a reply ends copies nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pinyon::testing {

enum class ReplyType {
  kSimple,     // +
  kError,      // -
  kInteger,    // :
  kBulk,       // $
  kNullBulk,   // $-1
  kArray,      // *
  kNullArray,  // *-1
  kNull,       // _
  kDouble,     // ,
  kBoolean,    // #
  kBigNumber,  // (
  kBulkError,  // !
  kVerbatim,   // =
  kMap,        // %, elements are key, value, key, value, ...
  kSet,        // ~
  kPush,       // >
  kNoReply,    // not on the wire: the peer closed, or nothing came in time; text says which
};

struct Reply {
  ReplyType type = ReplyType::kNoReply;
  std::string text = {};               // the line's or the bulk's bytes; empty for aggregates and nulls
  std::vector<Reply> elements = {};    // of aggregates
  std::vector<Reply> attributes = {};  // of the attribute (|) that stood in front: key, value, ...

  bool operator==(const Reply&) const = default;

  bool IsNull() const;
  bool IsError() const { return type == ReplyType::kError || type == ReplyType::kBulkError; }
  bool IsAggregate() const;
  // The value of an integer reply; throws std::runtime_error for any other type.
  int64_t Integer() const;
};

// What a peer sends that is not RESP.
struct MalformedReply : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Length in bytes of the whole reply (attribute included) that `bytes` starts with; nullopt when its end has
// not arrived yet. Throws MalformedReply.
std::optional<size_t> ReplyLength(std::string_view bytes);

// Parses exactly one whole reply. Throws MalformedReply, also when bytes are missing or left over.
Reply ParseReply(std::string_view bytes);

// Several lines in the manner of redis-cli, but telling every RESP type apart; no newline at the end.
std::string Print(const Reply& reply);

// `text` as redis-cli and the inline protocol read it back: bare when harmless, else "with \x00 escapes".
std::string Quote(std::string_view text);

// A whole command on one line, every argument quoted as needed.
std::string QuoteCommand(const std::vector<std::string>& args);

// A command as the array of bulk strings that goes over the wire.
std::string EncodeCommand(const std::vector<std::string>& args);

}  // namespace pinyon::testing
