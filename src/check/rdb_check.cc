#include "check/rdb_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/clock.h"
#include "base/random.h"
#include "check/repeated_keys.h"
#include "keyspace/keyspace.h"
#include "persist/byte_source.h"
#include "persist/key_text.h"

namespace pinyon {

namespace {

// Notes that are worth showing; a module may leave one for each of its data.
constexpr size_t kMaxNotes = 8;

// Counts what comes.
class Counter final : public RdbReceiver {
 public:
  Counter(const ByteSource& source, const RdbWatch& watch, KeyHashes& hashes, RdbReport& report)
      : source_(source), watch_(watch), hashes_(hashes), report_(report), now_ms_(WallMs()) {}

  void OnAux(std::string_view name, std::string_view value) override {
    if (report_.aux.size() < RdbReport::kMaxAux) report_.aux.emplace_back(name, value);
    if (watch_.aux) watch_.aux(source_.offset(), name, value);
  }
  bool OnSelect(uint64_t database, std::string*) override {
    if (watch_.select) watch_.select(source_.offset(), database);
    return true;
  }
  bool OnKey(const RdbKey& key, Entry* entry, std::string*) override {
    hashes_.Add(key.database, entry->key());
    ++report_.keys_of_type[static_cast<size_t>(entry->type())];
    ++report_.keys_of_database[key.database];
    if (entry->HasExpiry()) {
      ++report_.expiring;
      if (entry->expiry_ms() <= now_ms_) ++report_.expired;
    }
    Entry::Delete(entry);
    return true;
  }
  void OnNote(std::string_view text) override {
    if (report_.notes.size() < kMaxNotes) report_.notes.emplace_back(text);
  }

 private:
  const ByteSource& source_;
  const RdbWatch& watch_;
  KeyHashes& hashes_;
  RdbReport& report_;
  const int64_t now_ms_;
};

// Looks for the second of two keys that are one.
class RepeatedKeyFinder final : public RdbReceiver {
 public:
  RepeatedKeyFinder(const KeyHashes& hashes, std::vector<uint64_t> repeated)
      : hashes_(hashes), repeated_(std::move(repeated)) {}

  bool OnKey(const RdbKey& key, Entry* entry, std::string* reason) override {
    const std::string name(entry->key());
    Entry::Delete(entry);
    const uint64_t hash = hashes_.HashOf(key.database, name);
    if (!std::binary_search(repeated_.begin(), repeated_.end(), hash)) return true;
    if (seen_.insert(fmt::format("{}:{}", key.database, name)).second) return true;
    *reason = fmt::format("key {} of database {} is there twice", KeyText(name), key.database);
    return false;
  }

 private:
  const KeyHashes& hashes_;
  const std::vector<uint64_t> repeated_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

FileError CheckRdb(FileSystem& fs, const std::string& path, const RdbWatch& watch, RdbReport* report) {
  Random random = Random::FromSystem();
  // Lends values their limits and seeds; nothing is put into it.
  Keyspace keyspace(1, random.Next());
  KeyHashes hashes(keyspace.seed());
  const RdbReadOptions options{.progress = watch.progress};
  File file;
  if (FileError error = File::OpenToRead(fs, path, &file)) return error;
  {
    FileSource source(file.fd());
    Counter counter(source, watch, hashes, *report);
    RdbSnapshotReader(source, keyspace, counter, options).Read(&report->read);
  }
  std::vector<uint64_t> repeated = hashes.TakeRepeated();
  if (!report->good() || repeated.empty()) return {};
  // Equal hashes of different keys are possible, if hardly ever seen.
  if (FileError error = File::OpenToRead(fs, path, &file)) return error;
  FileSource source(file.fd());
  RepeatedKeyFinder finder(hashes, std::move(repeated));
  RdbReadResult again;
  if (!RdbSnapshotReader(source, keyspace, finder, options).Read(&again)) report->read = std::move(again);
  return {};
}

}  // namespace pinyon
