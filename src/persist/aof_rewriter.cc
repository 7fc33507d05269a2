#include "persist/aof_rewriter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/strings.h"
#include "keyspace/hash_view.h"
#include "keyspace/set_view.h"
#include "types/chunked_list.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

constexpr size_t kFlushBytes = 32 * 1024;
constexpr uint64_t kKeysPerProgress = 1024;

}  // namespace

bool AofRewriter::WriteTimestamp(int64_t unix_s) {
  fmt::format_to(std::back_inserter(buffer_), "#TS:{}\r\n", unix_s);
  Flush();
  return !failed_;
}

bool AofRewriter::Write(const Keyspace& keyspace, std::string* error) {
  for (int i = 0; i < keyspace.DatabaseCount() && !failed_; ++i) {
    const Database& db = keyspace.database(i);
    if (db.size() > 0) WriteDatabase(db, keyspace.now_ms());
  }
  Flush();
  if (failed_) *error = error_.empty() ? "the file could not be written" : error_;
  return !failed_;
}

void AofRewriter::WriteDatabase(const Database& db, int64_t now_ms) {
  char number[kMaxInt64Chars];
  const std::string_view select[] = {"SELECT", {number, FormatInt64(db.index(), number)}};
  Command(select);
  db.table().ForEach([&](const Entry* entry) {
    if (failed_) return;
    WriteKey(entry, now_ms);
    if (++keys_ % kKeysPerProgress == 0 && progress_) progress_(keys_);
  });
}

void AofRewriter::WriteKey(const Entry* entry, int64_t now_ms) {
  switch (entry->type()) {
    case ValueType::kString: WriteString(entry); break;
    case ValueType::kList: WriteList(entry); break;
    case ValueType::kSet: WriteSet(entry); break;
    case ValueType::kZset: WriteZset(entry); break;
    case ValueType::kHash:
      // A hash whose fields have all expired is not there any more.
      if (HashView(entry, now_ms).size() == 0) return;
      WriteHash(entry, now_ms);
      break;
    case ValueType::kStream:
      failed_ = true;
      error_ = fmt::format("the value of {} has no form as commands yet", QuoteForLog(entry->key()));
      return;
  }
  if (!entry->HasExpiry()) return;
  char number[kMaxInt64Chars];
  const std::string_view args[] = {
      "PEXPIREAT", entry->key(), {number, FormatInt64(entry->expiry_ms(), number)}};
  Command(args);
}

void AofRewriter::WriteString(const Entry* entry) {
  IntegerText digits;
  const std::string_view args[] = {"SET", entry->key(), entry->StringBytes(digits)};
  Command(args);
}

void AofRewriter::WriteList(const Entry* entry) {
  PackedElement::Digits digits;
  if (entry->IsPacked()) {
    const ListpackView elements(entry->packed());
    StartBatches("RPUSH", entry->key(), elements.size(), 1);
    for (auto at = elements.First(); at != ListpackView::kEnd; at = elements.Next(at)) {
      BatchElement();
      Arg(elements.Get(at).Text(digits));
    }
    return;
  }
  const auto& list = *static_cast<const ChunkedList*>(entry->pointer());
  StartBatches("RPUSH", entry->key(), list.size(), 1);
  for (ChunkedList::Cursor cursor(list, 0); cursor.valid() && !failed_; cursor.Advance()) {
    BatchElement();
    Arg(cursor.Get().Text(digits));
  }
}

void AofRewriter::WriteSet(const Entry* entry) {
  PackedElement::Digits digits;
  const SetView set(entry);
  StartBatches("SADD", entry->key(), set.size(), 1);
  SetReader reader(set);
  for (PackedElement element; !failed_ && reader.Next(&element);) {
    BatchElement();
    Arg(element.Text(digits));
  }
}

void AofRewriter::WriteZset(const Entry* entry) {
  if (!entry->IsPacked()) {
    const auto& zset = *static_cast<const SortedSet*>(entry->pointer());
    StartBatches("ZADD", entry->key(), zset.size(), 2);
    for (auto at = zset.tree().At(0); at && !failed_; at.Next()) {
      char digits[kMaxDoubleChars];
      BatchElement();
      Arg({digits, FormatDouble(at.score(), digits)});
      Arg(at->key());
    }
    return;
  }
  PackedElement::Digits member_digits, score_digits;
  const ListpackView pairs(entry->packed());
  StartBatches("ZADD", entry->key(), pairs.size() / 2, 2);
  for (auto at = pairs.First(); at != ListpackView::kEnd; at = pairs.Next(at)) {
    const PackedElement member = pairs.Get(at);
    at = pairs.Next(at);
    BatchElement();
    Arg(pairs.Get(at).Text(score_digits));
    Arg(member.Text(member_digits));
  }
}

void AofRewriter::WriteHash(const Entry* entry, int64_t now_ms) {
  PackedElement::Digits name_digits, value_digits;
  const HashView hash(entry, now_ms);
  StartBatches("HSET", entry->key(), hash.size(), 2);
  hash.ForEach([&](const HashField& field) {
    if (failed_) return;
    BatchElement();
    Arg(field.name.Text(name_digits));
    Arg(field.value.Text(value_digits));
  });
  if (!hash.HasExpiring()) return;
  hash.ForEach([&](const HashField& field) {
    if (failed_ || field.expiry_ms == Field::kNoExpiry) return;
    WriteFieldExpiry(entry->key(), field.name.Text(name_digits), field.expiry_ms);
  });
}

void AofRewriter::WriteFieldExpiry(std::string_view key, std::string_view field, int64_t expiry_ms) {
  char number[kMaxInt64Chars];
  const std::string_view args[] = {"HPEXPIREAT", key, {number, FormatInt64(expiry_ms, number)},
                                   "FIELDS",     "1", field};
  Command(args);
}

void AofRewriter::StartBatches(std::string_view command, std::string_view key, uint64_t elements,
                               size_t args_each) {
  PINYON_ASSERT(batch_left_ == 0 || failed_);
  batch_command_ = command;
  batch_key_ = key;
  batch_left_ = elements;
  batch_room_ = 0;
  batch_args_each_ = args_each;
}

void AofRewriter::BatchElement() {
  PINYON_ASSERT(batch_left_ > 0);
  if (batch_room_ == 0) {
    batch_room_ = static_cast<size_t>(std::min<uint64_t>(batch_left_, kBatchElements));
    Header('*', 2 + batch_room_ * batch_args_each_);
    Arg(batch_command_);
    Arg(batch_key_);
  }
  --batch_room_;
  --batch_left_;
}

void AofRewriter::Command(std::span<const std::string_view> args) {
  Header('*', args.size());
  for (const std::string_view arg : args) Arg(arg);
}

void AofRewriter::Header(char type, uint64_t value) {
  char header[kMaxInt64Chars + 3];
  header[0] = type;
  size_t length = 1 + FormatUint64(value, header + 1);
  header[length++] = '\r';
  header[length++] = '\n';
  buffer_.append(header, length);
}

void AofRewriter::Arg(std::string_view text) {
  Header('$', text.size());
  if (text.size() < kFlushBytes) {
    buffer_.append(text);
  } else {
    Flush();
    if (!failed_ && !sink_(text)) failed_ = true;
  }
  buffer_.append("\r\n");
  if (buffer_.size() >= kFlushBytes) Flush();
}

void AofRewriter::Flush() {
  if (!failed_ && !buffer_.empty() && !sink_(buffer_)) failed_ = true;
  buffer_.clear();
}

}  // namespace pinyon
