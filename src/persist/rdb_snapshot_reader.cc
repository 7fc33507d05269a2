#include "persist/rdb_snapshot_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "persist/key_text.h"

namespace pinyon {

namespace {

constexpr uint64_t kReadBytesPerProgress = 1024 * 1024;
// No configuration has more.
constexpr uint64_t kMaxDatabases = INT32_MAX;

}  // namespace

RdbSnapshotReader::RdbSnapshotReader(ByteSource& source, Keyspace& keyspace, RdbReceiver& receiver,
                                     RdbReadOptions options)
    : decoder_(source),
      keyspace_(keyspace),
      receiver_(receiver),
      options_(std::move(options)),
      values_(decoder_, keyspace.database(0)) {}

bool RdbSnapshotReader::Read(RdbReadResult* result) {
  ByteSource& source = decoder_.source();
  result_ = {};
  last_progress_ = source.offset();
  source.set_checksums(options_.verify_checksum);
  result_.record_offset = source.offset();
  Step step = ReadHeader() ? Step::kGoOn : Step::kFailed;
  while (step == Step::kGoOn) {
    result_.record_offset = source.offset();
    in_value_ = false;
    code_ = -1;
    step = ReadRecord();
    if (options_.progress && source.offset() - last_progress_ >= kReadBytesPerProgress) {
      last_progress_ = source.offset();
      options_.progress(last_progress_);
    }
  }
  std::string reason;
  if (step == Step::kEnd && !receiver_.OnEnd(&reason)) Refused(std::move(reason));
  result_.offset = source.offset();
  if (!decoder_.ok()) Report();
  *result = result_;
  return result_.error.empty();
}

void RdbSnapshotReader::Report() {
  const RdbError& error = decoder_.error();
  result_.kind = error.kind;
  result_.reason = error.reason;
  result_.record_code = code_;
  result_.in_value = in_value_;
  if (in_value_) result_.key = key_;
  result_.database = next_.database;
  result_.error = fmt::format("offset {}: {}", result_.offset, error.reason);
  if (in_value_) {
    result_.error += fmt::format(" (in the value of key {}, database {}, which begins at {})", KeyText(key_),
                                 next_.database, result_.record_offset);
  }
}

bool RdbSnapshotReader::ReadHeader() {
  char header[rdb::kHeaderBytes];
  if (!decoder_.Fixed(&header)) return false;
  if (std::memcmp(header, rdb::kMagic, sizeof rdb::kMagic) != 0) {
    return decoder_.Corrupt("this is no RDB file: it does not begin with REDIS");
  }
  int version = 0;
  for (size_t i = sizeof rdb::kMagic; i < rdb::kHeaderBytes; ++i) {
    if (header[i] < '0' || header[i] > '9') return decoder_.Corrupt("the version is no number");
    version = version * 10 + (header[i] - '0');
  }
  if (version < rdb::kOldestVersion || version > rdb::kNewestVersion) {
    return Unsupported(fmt::format("version {} of the RDB format is not known; {} to {} are", version,
                                   rdb::kOldestVersion, rdb::kNewestVersion));
  }
  result_.version = version;
  return true;
}

RdbSnapshotReader::Step RdbSnapshotReader::ReadRecord() {
  uint8_t code = 0;
  if (!decoder_.Byte(&code)) return Step::kFailed;
  code_ = code;
  if (code >= rdb::kFirstOpcode) return ReadOpcode(code);
  return ReadKey(code) ? Step::kGoOn : Step::kFailed;
}

RdbSnapshotReader::Step RdbSnapshotReader::ReadOpcode(uint8_t opcode) {
  bool done = false;
  switch (opcode) {
    case rdb::kEof: return ReadEnd() ? Step::kEnd : Step::kFailed;
    case rdb::kAux: done = ReadAux(); break;
    case rdb::kSelectDb: done = ReadSelect(); break;
    case rdb::kResizeDb: done = ReadSizes(); break;
    case rdb::kExpireTime:
    case rdb::kExpireTimeMs: done = ReadExpiry(opcode); break;
    case rdb::kIdle:
      next_.has_idle = true;
      done = decoder_.Length(&next_.idle_s);
      break;
    case rdb::kFreq:
      next_.has_frequency = true;
      done = decoder_.Byte(&next_.frequency);
      break;
    case rdb::kModuleAux: done = SkipModuleAux(); break;
    case rdb::kSlotInfo: done = SkipLengths(3); break;
    case rdb::kFunction2:
    case rdb::kFunctionPreGa: Unsupported("function libraries are not supported"); break;
    default: PINYON_CHECK(false);
  }
  return done ? Step::kGoOn : Step::kFailed;
}

// --- keys ---

bool RdbSnapshotReader::ReadKey(uint8_t code) {
  if (!decoder_.TextInto(&key_)) return false;
  in_value_ = true;
  Entry* entry = values_.Read(code, key_, expiry_ms_);
  if (entry == nullptr) {
    if (decoder_.error().kind != RdbError::Kind::kEmpty) return false;
    decoder_.ForgetError();
    ++result_.empty_keys;
  } else if (!GiveKey(entry)) {
    return false;
  }
  next_ = {.database = next_.database};
  expiry_ms_ = kNoExpiry;
  return true;
}

bool RdbSnapshotReader::GiveKey(Entry* entry) {
  if (options_.drop_expired && expiry_ms_ != kNoExpiry && expiry_ms_ < keyspace_.now_ms()) {
    Entry::Delete(entry);
    ++result_.expired_keys;
    return true;
  }
  ++result_.keys;
  std::string reason;
  return receiver_.OnKey(next_, entry, &reason) || Refused(std::move(reason));
}

bool RdbSnapshotReader::ReadExpiry(uint8_t opcode) {
  if (opcode == rdb::kExpireTime) {
    int32_t seconds = 0;
    if (!decoder_.Fixed(&seconds)) return false;
    expiry_ms_ = int64_t{seconds} * 1000;
  } else if (!decoder_.Fixed(&expiry_ms_)) {
    return false;
  }
  // -1 is none, as in Redis; other times before 1970 are as good as 1970.
  if (expiry_ms_ != kNoExpiry) expiry_ms_ = std::max<int64_t>(expiry_ms_, 0);
  return true;
}

// --- what stands between keys ---

bool RdbSnapshotReader::ReadAux() {
  std::string name;
  std::string_view value;
  if (!decoder_.TextInto(&name) || !decoder_.Text(&value)) return false;
  receiver_.OnAux(name, value);
  return true;
}

bool RdbSnapshotReader::ReadSelect() {
  uint64_t database = 0;
  if (!decoder_.Length(&database)) return false;
  std::string reason;
  if (database > kMaxDatabases) return decoder_.Corrupt(fmt::format("no database has number {}", database));
  if (!receiver_.OnSelect(database, &reason)) return Refused(std::move(reason));
  next_.database = static_cast<int>(database);
  return true;
}

bool RdbSnapshotReader::ReadSizes() {
  uint64_t keys = 0;
  uint64_t expiring = 0;
  if (!decoder_.Length(&keys) || !decoder_.Length(&expiring)) return false;
  // A key takes a code, two lengths and a byte of either text or value.
  constexpr uint64_t kMinKeyBytes = 4;
  keys = std::min(keys, decoder_.source().Left() / kMinKeyBytes);
  receiver_.OnSizes(next_.database, keys, std::min(keys, expiring));
  return true;
}

bool RdbSnapshotReader::SkipLengths(int count) {
  uint64_t ignored = 0;
  for (; count > 0; --count) {
    if (!decoder_.Length(&ignored)) return false;
  }
  return true;
}

// A module's data outside of keys: its number, and items of which each says its kind, up to an end.
bool RdbSnapshotReader::SkipModuleAux() {
  uint64_t module = 0;
  if (!decoder_.Length(&module)) return false;
  for (uint64_t item = rdb::kModuleUint; item != rdb::kModuleEof;) {
    if (!decoder_.Length(&item)) return false;
    if (item != rdb::kModuleEof && !SkipModuleItem(item)) return false;
  }
  receiver_.OnNote("data of a module that belongs to no key was skipped");
  return true;
}

bool RdbSnapshotReader::SkipModuleItem(uint64_t item) {
  float single = 0;
  double number = 0;
  switch (item) {
    case rdb::kModuleSint:
    case rdb::kModuleUint: return SkipLengths(1);
    case rdb::kModuleFloat: return decoder_.Fixed(&single);
    case rdb::kModuleDouble: return decoder_.Fixed(&number);
    case rdb::kModuleString: return decoder_.SkipText();
    default: return decoder_.Corrupt(fmt::format("a module's data has an item of unknown kind {}", item));
  }
}

bool RdbSnapshotReader::ReadEnd() {
  if (result_.version < rdb::kChecksumVersion) return true;
  const uint64_t reckoned = decoder_.source().Checksum();
  uint64_t stored = 0;
  if (!decoder_.Fixed(&stored)) return false;
  result_.checksum = stored;
  if (stored == 0 || !options_.verify_checksum || stored == reckoned) return true;
  return decoder_.Corrupt(fmt::format("the checksum is {:016x}, but the data has {:016x}", stored, reckoned));
}

}  // namespace pinyon
