// Reads a whole snapshot, of versions 1 to 12: a file, or a preamble, behind whose end the source then
// stands. What it holds goes to an RdbReceiver; KeyspaceLoader (keyspace_loader.h) is the one that fills a
// keyspace.
//
// Every error is told with its offset and its reason; what was read before it has been given to the receiver.
// Keys with collections that have no elements (old versions of Redis wrote some) are left out and counted, as
// Redis does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "keyspace/keyspace.h"
#include "persist/byte_source.h"
#include "persist/rdb_decoder.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value_reader.h"

namespace pinyon {

// What comes with a key beside its value.
struct RdbKey {
  int database = 0;
  bool has_idle = false;
  bool has_frequency = false;
  uint64_t idle_s = 0;
  uint8_t frequency = 0;
};

// Calls come in the order of the file. Those that return false end the reading, and say why in `*reason`.
class RdbReceiver {
 public:
  virtual ~RdbReceiver() = default;
  virtual void OnAux(std::string_view /*name*/, std::string_view /*value*/) {}
  virtual bool OnSelect(uint64_t /*database*/, std::string* /*reason*/) { return true; }
  // Hints, not to be relied on; but never more keys than the bytes that are left can hold.
  virtual void OnSizes(int /*database*/, uint64_t /*keys*/, uint64_t /*expiring*/) {}
  // Takes over the entry, which has its key and expiry.
  virtual bool OnKey(const RdbKey& key, Entry* entry, std::string* reason) = 0;
  // Nothing more comes, and all of it was right.
  virtual bool OnEnd(std::string* /*reason*/) { return true; }
  // Something was skipped that may be worth a line in the log.
  virtual void OnNote(std::string_view /*text*/) {}
};

struct RdbReadOptions {
  // Keys whose time was over at the keyspace's time do not reach the receiver.
  bool drop_expired = false;
  bool verify_checksum = true;
  // Called every megabyte or so, with the offset.
  std::function<void(uint64_t offset)> progress = {};
};

struct RdbReadResult {
  // "" when all was read; else with the offset, the reason and, within a value, its key.
  std::string error;
  RdbError::Kind kind = RdbError::Kind::kNone;
  uint64_t offset = 0;         // where reading ended: behind the checksum, or at the error
  uint64_t record_offset = 0;  // where the record begins that the error is in
  // The error without offset and key, and where it is: the record's code (-1: none was read, or it is in the
  // header), and within a value its key.
  std::string reason;
  int record_code = -1;
  bool in_value = false;
  std::string key;
  int database = 0;
  int version = 0;
  uint64_t checksum = 0;  // as stored; 0: none
  uint64_t keys = 0;
  uint64_t expired_keys = 0;  // dropped
  uint64_t empty_keys = 0;    // left out
};

class RdbSnapshotReader {
 public:
  // The keyspace lends its configuration and its time; only the receiver may change it.
  RdbSnapshotReader(ByteSource& source, Keyspace& keyspace, RdbReceiver& receiver, RdbReadOptions options);

  bool Read(RdbReadResult* result);

 private:
  enum class Step : uint8_t { kGoOn, kEnd, kFailed };

  bool ReadHeader();
  Step ReadRecord();
  Step ReadOpcode(uint8_t opcode);
  bool ReadKey(uint8_t code);
  bool GiveKey(Entry* entry);
  bool ReadAux();
  bool ReadSelect();
  bool ReadSizes();
  bool ReadExpiry(uint8_t opcode);
  bool SkipModuleAux();
  bool SkipModuleItem(uint64_t item);
  bool SkipLengths(int count);
  bool ReadEnd();
  bool Refused(std::string reason) { return decoder_.Fail(RdbError::Kind::kRefused, std::move(reason)); }
  bool Unsupported(std::string reason) {
    return decoder_.Fail(RdbError::Kind::kUnsupported, std::move(reason));
  }
  void Report();

  RdbDecoder decoder_;
  Keyspace& keyspace_;
  RdbReceiver& receiver_;
  RdbReadOptions options_;
  RdbValueReader values_;
  RdbReadResult result_;
  // Of the key that comes next.
  RdbKey next_;
  int64_t expiry_ms_ = kNoExpiry;
  std::string key_;
  int code_ = -1;  // of the record
  bool in_value_ = false;
  uint64_t last_progress_ = 0;
};

}  // namespace pinyon
