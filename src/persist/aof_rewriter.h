// Writes a keyspace as the commands that make it again: the base of a log when aof-use-rdb-preamble is off.
//
//   SELECT, then for each key
//   SET | RPUSH | SADD | ZADD | HSET      collections in batches of 64 elements, as Redis does
//   HPEXPIREAT key time FIELDS 1 field    fields that expire
//   PEXPIREAT key time                    keys that expire
//
// Runs in a forked child: reads only, and allocates no more than one command at a time. Fields that have
// expired are left out, keys are not: the log says itself when they went.
//
// Costs: one pass over the keys; of a large value, a batch in memory at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "keyspace/keyspace.h"

namespace pinyon {

class AofRewriter {
 public:
  static constexpr size_t kBatchElements = 64;

  // Takes bytes; false once it can take no more, which ends the rewrite.
  using Sink = std::function<bool(std::string_view)>;

  explicit AofRewriter(Sink sink) : sink_(std::move(sink)) {}

  // Of which the receiver is told every 1024 keys; may be empty.
  void set_progress(std::function<void(uint64_t keys)> progress) { progress_ = std::move(progress); }

  // A file that is to be cut at a time begins with one: "#TS:...".
  bool WriteTimestamp(int64_t unix_s);
  // False: the sink has refused, or *error names what has no form as a command.
  bool Write(const Keyspace& keyspace, std::string* error);
  uint64_t keys() const { return keys_; }

 private:
  void WriteDatabase(const Database& db, int64_t now_ms);
  void WriteKey(const Entry* entry, int64_t now_ms);
  void WriteString(const Entry* entry);
  void WriteList(const Entry* entry);
  void WriteSet(const Entry* entry);
  void WriteZset(const Entry* entry);
  void WriteHash(const Entry* entry, int64_t now_ms);
  void WriteFieldExpiry(std::string_view key, std::string_view field, int64_t expiry_ms);

  // A command of a batch: its head is written when the first element comes, since RESP begins with the count.
  void StartBatches(std::string_view command, std::string_view key, uint64_t elements, size_t args_each);
  void BatchElement();
  void Command(std::span<const std::string_view> args);
  void Header(char type, uint64_t value);
  void Arg(std::string_view text);
  void Flush();

  Sink sink_;
  std::function<void(uint64_t)> progress_;
  bool failed_ = false;
  std::string error_;
  uint64_t keys_ = 0;
  std::string buffer_;

  std::string_view batch_command_;
  std::string_view batch_key_;
  uint64_t batch_left_ = 0;  // elements that are to come, in all batches
  size_t batch_room_ = 0;    // in this one
  size_t batch_args_each_ = 0;
};

}  // namespace pinyon
