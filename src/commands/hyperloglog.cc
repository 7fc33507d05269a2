// HyperLogLogs: strings in the format of types/hyperloglog.h, edited where they lie. Whatever string claims
// to be one is checked first; one that is corrupt inside is refused when that is found out, and left as it
// was.
#include "types/hyperloglog.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "commands/families.h"
#include "engine/call.h"
#include "types/packed_bytes.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrNotHyperLogLog = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kErrCorrupt = "INVALIDOBJ Corrupted HLL object detected";

size_t SparseMaxBytes(const Call& call) {
  return static_cast<size_t>(call.engine.options.encoding.hll_sparse_max_bytes);
}

// The bytes of a string in the keyspace, raw and private, as the algorithms edit them. Nothing else may
// change the database meanwhile.
class EditedString final : public PackedBytes {
 public:
  EditedString(Database& db, EntryRef ref) : db_(db), ref_(ref) {
    const SharedBlock* block = ref->block();
    const bool is_ready = ref->encoding() == Encoding::kRaw && (block == nullptr || !block->IsShared());
    // What lies ready in its entry is spared the move to a block of its own, which is for those that grow.
    if (!is_ready) ref_ = db.EditString(ref, ref->StringLength());
    Refresh();
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(data()), size()}; }

 private:
  void DoResize(size_t size) override {
    ref_ = db_.EditString(ref_, size);
    Refresh();
  }
  void Refresh() {
    data_ = reinterpret_cast<uint8_t*>(ref_->MutableBytes());
    size_ = ref_->StringLength();
  }

  Database& db_;
  EntryRef ref_;
};

// False, after the error reply, when what was found is no HyperLogLog; nothing found is fine.
bool CheckValue(Call& call, EntryRef ref) {
  if (!call.CheckType(ref, ValueType::kString)) return false;
  IntegerText text;
  return !ref || hll::IsHyperLogLog(ref->StringBytes(text)) || call.Fail(kErrNotHyperLogLog);
}

// Stores an empty value where there is none.
EntryRef Create(Call& call, size_t key_index) {
  const std::string_view key = call.args[key_index];
  const EntryRef ref = call.db.SetString({}, key, call.KeyHash(key_index), hll::kEmpty, kNoExpiry);
  call.Notify(call.session.database, kNotifyNew, "new", key);
  return ref;
}

// The first of PFADD's elements that changes the value, argc() when none does. False, after the error reply,
// when the value is corrupt where that would come to light on the way.
bool FindFirstChange(Call& call, std::string_view value, size_t* first_change) {
  constexpr size_t kMaxGrowth = 3;  // bytes an element
  *first_change = call.argc();
  const bool dense = hll::FormOf(value) == hll::Form::kDense;
  bool may_become_dense = value.size() + kMaxGrowth * call.argc() > hll::kHeaderBytes + SparseMaxBytes(call);
  for (size_t i = 2; i < call.argc(); ++i) {
    const hll::Observation seen = hll::Observe(call.args[i]);
    const hll::Outcome outcome = hll::Probe(value, seen);
    if (outcome == hll::Outcome::kCorrupt) return call.Fail(kErrCorrupt);
    if (outcome == hll::Outcome::kSame) continue;
    *first_change = std::min(*first_change, i);
    // An edit of a dense value cannot fail.
    if (dense) return true;
    may_become_dense = may_become_dense || seen.rank > hll::kMaxSparseRank;
  }
  const bool must_be_sound = may_become_dense && *first_change < call.argc();
  return !must_be_sound || hll::IsSound(value) || call.Fail(kErrCorrupt);
}

// PFADD key [element [element ...]]
void PfAdd(Call& call) {
  EntryRef ref = call.FindForWrite(1);
  if (!CheckValue(call, ref)) return;
  const bool is_new = !ref;
  if (is_new) ref = Create(call, 1);

  EditedString value(call.db, ref);
  size_t first_change;
  if (!FindFirstChange(call, value.view(), &first_change)) return;
  int64_t changes = is_new;
  for (size_t i = first_change; i < call.argc(); ++i) {
    const hll::Outcome outcome = hll::Add(value, hll::Observe(call.args[i]), SparseMaxBytes(call));
    PINYON_ASSERT(outcome != hll::Outcome::kCorrupt);
    if (outcome == hll::Outcome::kChanged) ++changes;
  }
  if (changes > 0) {
    hll::DropCachedCount(value.data());
    call.Changed(kNotifyString, "pfadd", call.args[1], changes);
  }
  call.reply.Integer(changes > 0);
}

// The estimate of one value, kept in it: to a client a read, to everybody else a change.
void CountOne(Call& call) {
  const EntryRef ref = call.FindForRead(1);
  if (!CheckValue(call, ref)) return;
  if (!ref) return call.reply.Integer(0);

  EditedString value(call.db, ref);
  uint64_t count = hll::CachedCount(value.view());
  if (!hll::HasCachedCount(value.view())) {
    if (!hll::Count(value.view(), &count)) return call.reply.Error(kErrCorrupt);
    hll::SetCachedCount(value.data(), count);
    call.SignalModified(call.session.database, call.args[1]);
    call.CountChanges(1);
  }
  call.reply.Integer(static_cast<int64_t>(count));
}

// Raises `registers` to those of the values from key argument `first` on; false after the error reply.
bool Unite(Call& call, size_t first, hll::Registers* registers, bool* any_dense) {
  *any_dense = false;
  for (size_t i = first; i < call.argc(); ++i) {
    const EntryRef ref = call.FindForRead(i);
    if (!CheckValue(call, ref)) return false;
    if (!ref) continue;
    const std::string_view value = ref->StoredBytes();
    if (hll::FormOf(value) == hll::Form::kDense) *any_dense = true;
    if (!hll::MergeInto(*registers, value)) return call.Fail(kErrCorrupt);
  }
  return true;
}

// PFCOUNT key [key ...]
void PfCount(Call& call) {
  if (call.argc() == 2) return CountOne(call);
  hll::Registers registers;
  bool any_dense;
  if (!Unite(call, 1, &registers, &any_dense)) return;
  call.reply.Integer(static_cast<int64_t>(hll::Count(registers)));
}

// PFMERGE destkey [sourcekey [sourcekey ...]]
void PfMerge(Call& call) {
  // The destination is the first source, hence sound when this succeeds.
  hll::Registers registers;
  bool any_dense;
  if (!Unite(call, 1, &registers, &any_dense)) return;
  EntryRef ref = call.FindForWrite(1);
  if (!ref) ref = Create(call, 1);

  EditedString value(call.db, ref);
  if (any_dense && hll::FormOf(value.view()) == hll::Form::kSparse) {
    const bool sound = hll::MakeDense(value);
    PINYON_CHECK(sound);
  }
  hll::Store(value, registers, SparseMaxBytes(call));
  hll::DropCachedCount(value.data());
  call.Changed(kNotifyString, "pfadd", call.args[1]);
  call.reply.Ok();
}

// Makes the value of PFDEBUG dense if it is not, telling whether; false after the error reply.
bool DebugMakeDense(Call& call, EditedString& value, bool* converted) {
  *converted = hll::FormOf(value.view()) == hll::Form::kSparse;
  if (!*converted) return true;
  if (!hll::MakeDense(value)) return call.Fail(kErrCorrupt);
  call.CountChanges(1);
  return true;
}

// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key
void PfDebug(Call& call) {
  const EntryRef ref = call.FindForWrite(2);
  if (!ref) return call.reply.Error("ERR The specified key does not exist");
  if (!CheckValue(call, ref)) return;

  EditedString value(call.db, ref);
  bool converted;
  if (call.Is(1, "getreg")) {
    if (!DebugMakeDense(call, value, &converted)) return;
    hll::Registers registers;
    [[maybe_unused]] const bool sound = hll::MergeInto(registers, value.view());
    call.reply.ArrayHeader(hll::kRegisters);
    for (const uint8_t rank : registers.ranks) call.reply.Integer(rank);
  } else if (call.Is(1, "decode")) {
    if (hll::FormOf(value.view()) == hll::Form::kDense) {
      return call.reply.Error("ERR HLL encoding is not sparse");
    }
    call.reply.Bulk(hll::Describe(value.view()));
  } else if (call.Is(1, "encoding")) {
    call.reply.SimpleString(hll::FormOf(value.view()) == hll::Form::kDense ? "dense" : "sparse");
  } else if (call.Is(1, "todense")) {
    if (DebugMakeDense(call, value, &converted)) call.reply.Integer(converted);
  } else {
    // Up to a zero byte, as Redis prints it.
    const std::string_view name = call.args[1].substr(0, call.args[1].find('\0'));
    call.reply.Error("ERR Unknown PFDEBUG subcommand '" + std::string(name) + "'");
  }
}

// PFSELFTEST
void PfSelfTest(Call& call) {
  const std::string failure = hll::SelfTest();
  if (!failure.empty()) return call.reply.Error("TESTFAILED " + failure);
  call.reply.Ok();
}

constexpr CommandSpec kHyperLogLogCommands[] = {
    {.name = "pfadd",
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .handler = PfAdd,
     .acl = kAclHyperLogLog,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(1) to add every element.",
     .summary = "Adds elements to a HyperLogLog",
     .syntax = "key [element [element ...]]"},
    {.name = "pfcount",
     .arity = -2,
     .flags = kReadOnly | kMayReplicate,
     .handler = PfCount,
     .acl = kAclHyperLogLog,
     .keys = {{.flags = kKeyRW | kKeyAccess,
               .begin = KeySpec::Begin::kIndex,
               .index = 1,
               .last = -1,
               .notes = "RW because it may change the internal representation of the key, and propagate to "
                        "replicas"}},
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity =
         "O(1) with a very small average constant time when called with a single key. O(N) with N "
         "being the number of keys, and much bigger constant times, when called with multiple keys.",
     .summary = "Estimates how many different elements one HyperLogLog, or several together, have seen",
     .syntax = "key [key ...]"},
    {.name = "pfmerge",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .handler = PfMerge,
     .acl = kAclHyperLogLog,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyInsert), KeysFrom(2, kKeyRO | kKeyAccess)},
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "O(N) to merge N HyperLogLogs, but with high constant times.",
     .summary = "Merges HyperLogLogs into one",
     .syntax = "destkey sourcekey [sourcekey ...]"},
    {.name = "pfdebug",
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin | kSystemCommand,
     .handler = PfDebug,
     .acl = kAclHyperLogLog,
     .keys = {KeyAt(2, kKeyRW | kKeyAccess)},
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "Shows the inside of a HyperLogLog, or makes it dense",
     .syntax = "subcommand key"},
    {.name = "pfselftest",
     .arity = 1,
     .flags = kAdmin | kSystemCommand,
     .handler = PfSelfTest,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "Tests the server's implementation of HyperLogLogs"},
};

}  // namespace

std::span<const CommandSpec> HyperLogLogCommands() { return kHyperLogLogCommands; }

}  // namespace pinyon
