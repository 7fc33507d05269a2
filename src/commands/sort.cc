// SORT and SORT_RO: the elements of a list, a set or a sorted set, by themselves or by weights that are
// looked up under other keys. Everything is copied out of the source first: looking weights up may delete
// expired keys, after which nothing borrowed from the database is valid.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/families.h"
#include "commands/source_keys.h"
#include "engine/call.h"
#include "keyspace/hash_view.h"
#include "keyspace/list_value.h"
#include "keyspace/set_value.h"
#include "keyspace/zset_value.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrNotNumbers = "ERR One or more scores can't be converted into double";

// What BY and GET name: "weight_*" a key, "object_*->weight" a field of one. The first star stands for the
// element, the arrow counts only behind it.
struct Pattern {
  std::string_view before;
  std::string_view after;
  std::string_view field;  // empty: the value of the key itself
  bool has_star = false;
  bool is_element = false;  // "#": the element itself

  explicit Pattern(std::string_view text) : is_element(text == "#") {
    const size_t star = text.find('*');
    has_star = star != std::string_view::npos;
    if (!has_star) return;
    before = text.substr(0, star);
    after = text.substr(star + 1);
    const size_t arrow = after.find("->");
    if (arrow == std::string_view::npos || arrow + 2 == after.size()) return;
    field = after.substr(arrow + 2);
    after = after.substr(0, arrow);
  }
};

struct SortOptions {
  bool descending = false;
  bool alpha = false;
  bool keeps_order = false;  // BY a pattern without a star
  std::optional<Pattern> by;
  std::vector<Pattern> gets;
  int64_t offset = 0;
  int64_t limit = -1;      // negative: all
  size_t destination = 0;  // argument of the key where the result is stored; 0: it is replied
};

// Which keys a pattern leads to depends on the data: only who may read any key may use one.
bool MayLookUp(Call& call, std::string_view option) {
  if (call.engine.acl.MayReadAllKeys(call.session, call.command, call.args)) return true;
  return call.Fail("ERR " + std::string(option) +
                   " option of SORT denied due to insufficient ACL permissions.");
}

bool ParseSort(Call& call, bool may_store, SortOptions* options) {
  for (size_t i = 2; i < call.argc(); ++i) {
    const size_t following = call.argc() - i - 1;
    if (call.Is(i, "asc")) {
      options->descending = false;
    } else if (call.Is(i, "desc")) {
      options->descending = true;
    } else if (call.Is(i, "alpha")) {
      options->alpha = true;
    } else if (call.Is(i, "limit") && following >= 2) {
      if (!call.Int(i + 1, &options->offset) || !call.Int(i + 2, &options->limit)) return false;
      i += 2;
    } else if (may_store && call.Is(i, "store") && following >= 1) {
      options->destination = ++i;
    } else if (call.Is(i, "by") && following >= 1) {
      options->by.emplace(call.args[++i]);
      // Once said, it holds, also when a pattern with a star follows.
      if (!options->by->has_star) options->keeps_order = true;
      if (options->by->has_star && !MayLookUp(call, "BY")) return false;
    } else if (call.Is(i, "get") && following >= 1) {
      if (!MayLookUp(call, "GET")) return false;
      options->gets.emplace_back(call.args[++i]);
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

// Which elements, in the order of the result, are given.
struct Window {
  size_t begin;
  size_t end;
};

Window WindowOf(const SortOptions& options, size_t size) {
  const size_t begin = std::min(size, static_cast<size_t>(std::max<int64_t>(options.offset, 0)));
  const size_t rest = size - begin;
  const size_t count = options.limit < 0 ? rest : std::min(rest, static_cast<size_t>(options.limit));
  return {begin, begin + count};
}

// Many texts in one buffer.
class Texts {
 public:
  void Add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
  }
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }
  std::string_view operator[](size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

size_t SizeOf(Call& call, EntryRef ref) {
  switch (ref->type()) {
    case ValueType::kList: return ListValue(call.db, ref).size();
    case ValueType::kSet: return SetView(ref.entry()).size();
    default: return ZsetValue(call.db, ref).size();
  }
}

void AddList(Call& call, EntryRef ref, Window window, bool backwards, Texts* elements) {
  const ListValue list(call.db, ref);
  const size_t start = backwards ? list.size() - 1 - window.begin : window.begin;
  const auto direction = backwards ? ListValue::Direction::kBackward : ListValue::Direction::kForward;
  list.Visit(start, window.end - window.begin, direction, [&](const PackedElement& element, SharedBlock*) {
    PackedElement::Digits digits;
    elements->Add(element.Text(digits));
    return true;
  });
}

void AddSet(EntryRef ref, Window window, Texts* elements) {
  SetReader reader{SetView(ref.entry())};
  PackedElement element;
  for (size_t i = 0; i < window.end && reader.Next(&element); ++i) {
    PackedElement::Digits digits;
    if (i >= window.begin) elements->Add(element.Text(digits));
  }
}

void AddZset(Call& call, EntryRef ref, Window window, bool backwards, Texts* elements) {
  const ZsetValue zset(call.db, ref);
  ZsetCursor at = zset.At(backwards ? zset.size() - 1 - window.begin : window.begin);
  for (size_t i = window.begin; i < window.end; ++i) {
    elements->Add(at.member());
    backwards ? at.Previous() : at.Next();
  }
}

// Copies the elements in a window of the source's own order.
void AddElements(Call& call, EntryRef ref, Window window, bool backwards, Texts* elements) {
  if (window.begin == window.end) return;
  switch (ref->type()) {
    case ValueType::kList: return AddList(call, ref, window, backwards, elements);
    case ValueType::kSet: return AddSet(ref, window, elements);
    default: return AddZset(call, ref, window, backwards, elements);
  }
}

// Looks up what patterns name, for a batch of elements at a time, so that the keys of all are asked of memory
// before the first is looked at.
class Lookup {
 public:
  static constexpr size_t kBatch = 16;

  Lookup(Call& call, std::span<const Pattern> patterns) : call_(call), patterns_(patterns) {
    hashes_.resize(patterns.size() * kBatch);
  }

  // Prepares for `count` elements, of which `element(i)` gives the text.
  template <typename Element>
  void Fetch(size_t count, Element element) {
    PINYON_ASSERT(count <= kBatch);
    Table& table = call_.db.table();
    for (size_t p = 0; p < patterns_.size(); ++p) {
      if (!patterns_[p].has_star) continue;
      for (size_t i = 0; i < count; ++i) {
        hashes_[p * kBatch + i] = call_.db.Hash(Key(patterns_[p], element(i)));
        table.PrefetchBucket(hashes_[p * kBatch + i]);
      }
    }
    for (size_t p = 0; p < patterns_.size(); ++p) {
      if (!patterns_[p].has_star) continue;
      for (size_t i = 0; i < count; ++i) table.PrefetchItem(hashes_[p * kBatch + i]);
    }
  }

  // What a pattern names for the batch's i-th element. False when there is no such key or field, or of
  // another type. The value is borrowed until the next lookup.
  bool Find(size_t pattern_index, size_t i, std::string_view element) {
    const Pattern& pattern = patterns_[pattern_index];
    block_ = nullptr;
    if (pattern.is_element) {
      value_ = element;
      return true;
    }
    if (!pattern.has_star) return false;
    const EntryRef ref = call_.FindForRead(Key(pattern, element), hashes_[pattern_index * kBatch + i]);
    if (!ref) return false;
    if (!pattern.field.empty()) return FindField(ref, pattern.field);
    if (ref->type() != ValueType::kString) return false;
    block_ = ref->block();
    value_ = ref->StringBytes(integer_text_);
    return true;
  }
  std::string_view value() const { return value_; }
  void Reply() const { block_ != nullptr ? call_.reply.BulkBlock(block_) : call_.reply.Bulk(value_); }

 private:
  bool FindField(EntryRef ref, std::string_view name) {
    HashField field;
    if (ref->type() != ValueType::kHash) return false;
    if (!HashView(ref.entry(), call_.now_ms()).Find(name, &field)) return false;
    value_ = field.value.Text(digits_);
    return true;
  }

  std::string_view Key(const Pattern& pattern, std::string_view element) {
    return key_.assign(pattern.before).append(element).append(pattern.after);
  }

  Call& call_;
  std::span<const Pattern> patterns_;
  std::vector<uint64_t> hashes_;  // of each pattern, kBatch
  std::string key_;
  std::string_view value_;
  SharedBlock* block_ = nullptr;
  IntegerText integer_text_;
  PackedElement::Digits digits_;
};

// A weight as strtod reads it: leading spaces and hexadecimals are numbers, what a double cannot hold is
// none, and a zero byte ends the text.
bool ParseWeight(std::string_view text, double* weight) {
  if (ParseDouble(text, weight) && (std::isnormal(*weight) || *weight == 0)) return true;
  const std::string terminated(text);
  char* end;
  errno = 0;
  *weight = std::strtod(terminated.c_str(), &end);
  return *end == '\0' && errno != ERANGE && !std::isnan(*weight);
}

int Sign(double a, double b) { return a < b ? -1 : a > b; }

// What strcoll compares in the C locale, which is what Redis sorts by unless it is told otherwise.
std::string_view Collated(std::string_view text) { return text.substr(0, text.find('\0')); }

// Brings elements into order.
class Sorter {
 public:
  Sorter(const SortOptions& options, const Texts& elements) : options_(options), elements_(elements) {}

  // False when a weight is no number.
  bool LoadWeights(Call& call) {
    if (options_.by) return LookWeightsUp(call);
    if (options_.alpha) return true;
    numbers_.resize(elements_.size());
    for (size_t i = 0; i < elements_.size(); ++i) {
      if (!ParseWeight(elements_[i], &numbers_[i])) return false;
    }
    return true;
  }

  // The elements of a window of the result.
  std::vector<size_t> Sort(Window window) const {
    std::vector<size_t> order(elements_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto is_before = [&](size_t a, size_t b) {
      const int sign = options_.alpha ? CompareTexts(a, b) : CompareNumbers(a, b);
      return sign == 0 ? a < b : (sign < 0) != options_.descending;
    };
    const auto end = order.begin() + static_cast<ptrdiff_t>(window.end);
    if (end == order.end()) {
      std::sort(order.begin(), end, is_before);
    } else {
      std::partial_sort(order.begin(), end, order.end(), is_before);
    }
    order.erase(end, order.end());
    order.erase(order.begin(), order.begin() + static_cast<ptrdiff_t>(window.begin));
    return order;
  }

 private:
  bool LookWeightsUp(Call& call) {
    Lookup lookup(call, {&*options_.by, 1});
    if (!options_.alpha) numbers_.resize(elements_.size());
    for (size_t i = 0; i < elements_.size(); ++i) {
      const size_t in_batch = i % Lookup::kBatch;
      if (in_batch == 0) {
        const size_t count = std::min(Lookup::kBatch, elements_.size() - i);
        lookup.Fetch(count, [&](size_t k) { return elements_[i + k]; });
      }
      const bool found = lookup.Find(0, in_batch, elements_[i]);
      if (options_.alpha) {
        texts_.Add(found ? lookup.value() : "");
        found_.push_back(found);
      } else if (found && !ParseWeight(lookup.value(), &numbers_[i])) {
        return false;  // a missing weight is 0
      }
    }
    return true;
  }

  int CompareNumbers(size_t a, size_t b) const {
    const int sign = Sign(numbers_[a], numbers_[b]);
    return sign != 0 ? sign : elements_[a].compare(elements_[b]);
  }
  int CompareTexts(size_t a, size_t b) const {
    if (!options_.by) return Compare(elements_[a], elements_[b]);
    if (!found_[a] || !found_[b]) return static_cast<int>(found_[a]) - static_cast<int>(found_[b]);
    return Compare(texts_[a], texts_[b]);
  }
  // What is stored does not depend on a locale.
  int Compare(std::string_view a, std::string_view b) const {
    return options_.destination != 0 ? a.compare(b) : Collated(a).compare(Collated(b));
  }

  const SortOptions& options_;
  const Texts& elements_;
  std::vector<double> numbers_;
  Texts texts_;
  std::vector<bool> found_;
};

// Calls visit(found, lookup) for each part of the result: for each element what every GET names.
template <typename Visit>
void ForEachResult(Call& call, const SortOptions& options, const Texts& elements,
                   const std::vector<size_t>& order, Visit visit) {
  // Without a GET the element itself.
  const Pattern element("#");
  const std::span<const Pattern> patterns =
      options.gets.empty() ? std::span<const Pattern>(&element, 1) : std::span<const Pattern>(options.gets);
  Lookup lookup(call, patterns);
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t in_batch = i % Lookup::kBatch;
    if (in_batch == 0) {
      const size_t count = std::min(Lookup::kBatch, order.size() - i);
      lookup.Fetch(count, [&](size_t k) { return elements[order[i + k]]; });
    }
    for (size_t p = 0; p < patterns.size(); ++p) {
      visit(lookup.Find(p, in_batch, elements[order[i]]), lookup);
    }
  }
}

void ReplySorted(Call& call, const SortOptions& options, const Texts& elements,
                 const std::vector<size_t>& order) {
  call.reply.ArrayHeader(order.size() * std::max<size_t>(options.gets.size(), 1));
  ForEachResult(call, options, elements, order,
                [&](bool found, const Lookup& lookup) { found ? lookup.Reply() : call.reply.Null(); });
}

// Stores the result as a list in the place of whatever the destination holds; what is missing is empty.
void StoreSorted(Call& call, const SortOptions& options, const Texts& elements,
                 const std::vector<size_t>& order) {
  Texts results;
  ForEachResult(call, options, elements, order,
                [&](bool found, const Lookup& lookup) { results.Add(found ? lookup.value() : ""); });
  ListValue list(call.db,
                 Database::NewPacked(call.args[options.destination], ValueType::kList, Encoding::kListpack));
  list.PrepareFor(results.bytes(), results.size());
  for (size_t i = 0; i < results.size(); ++i) list.Push(ListEnd::kTail, results[i]);
  StoreResult(call, options.destination, list.Release(), results.size(), kNotifyList, "sortstore");
  const int64_t count = static_cast<int64_t>(results.size());
  if (count > 0) call.CountChanges(count - 1);
  call.reply.Integer(count);
}

bool IsSortable(ValueType type) {
  return type == ValueType::kList || type == ValueType::kSet || type == ValueType::kZset;
}

// The elements that are given, in order, as indexes into `elements`; false after the error reply.
bool Arrange(Call& call, EntryRef ref, SortOptions* options, Texts* elements, std::vector<size_t>* order) {
  const size_t size = SizeOf(call, ref);
  const Window window = WindowOf(*options, size);
  // A set has no order of its own that a copy of the data would have, too.
  if (options->keeps_order && options->destination != 0 && ref->type() == ValueType::kSet) {
    options->keeps_order = false;
    options->alpha = true;
    options->by.reset();
  }
  if (options->keeps_order) {
    AddElements(call, ref, window, options->descending, elements);
    order->resize(elements->size());
    for (size_t i = 0; i < order->size(); ++i) (*order)[i] = i;
    return true;
  }
  AddElements(call, ref, {0, size}, false, elements);
  Sorter sorter(*options, *elements);
  if (!sorter.LoadWeights(call)) return call.Fail(kErrNotNumbers);
  *order = sorter.Sort(window);
  return true;
}

void SortGeneric(Call& call, bool may_store) {
  SortOptions options;
  if (!ParseSort(call, may_store, &options)) return;
  const EntryRef ref = call.FindForRead(1);
  if (ref && !IsSortable(ref->type())) return call.reply.Error(kErrWrongType);

  Texts elements;
  std::vector<size_t> order;
  if (ref && !Arrange(call, ref, &options, &elements, &order)) return;
  options.destination == 0 ? ReplySorted(call, options, elements, order)
                           : StoreSorted(call, options, elements, order);
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]
// [STORE destination]
void Sort(Call& call) { SortGeneric(call, true); }

// SORT_RO, the same without STORE
void SortReadOnly(Call& call) { SortGeneric(call, false); }

// The destination: the last of several.
void SortDestination(Args args, std::vector<int>* positions) {
  int found = 0;
  for (size_t i = 2; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "get") || EqualsIgnoreCase(args[i], "by")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "store") && i + 1 < args.size()) {
      found = static_cast<int>(++i);
    }
  }
  if (found != 0) positions->push_back(found);
}

constexpr const char* kComplexity =
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of "
    "returned "
    "elements. When the elements are not sorted, complexity is O(N).";

constexpr KeySpec kPatternKeys = {
    .flags = kKeyRO | kKeyAccess,
    .begin = KeySpec::Begin::kUnknown,
    .find = KeySpec::Find::kUnknown,
    .notes =
        "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the "
        "content of the key we sort"};
constexpr KeySpec kStoreKey = {
    .flags = kKeyOW | kKeyUpdate,
    .begin = KeySpec::Begin::kUnknown,
    .find = KeySpec::Find::kUnknown,
    .notes =
        "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere "
        "in the argument array"};

constexpr CommandSpec kSortCommands[] = {
    {.name = "sort",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .handler = Sort,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), kPatternKeys, kStoreKey},
     .get_keys = SortDestination,
     .group = "generic",
     .since = "1.0.0",
     .complexity = kComplexity,
     .summary = "Sorts the elements of a list, a set or a sorted set, and may store them",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
               "[STORE destination]"},
    {.name = "sort_ro",
     .arity = -2,
     .flags = kReadOnly,
     .handler = SortReadOnly,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), kPatternKeys},
     .group = "generic",
     .since = "7.0.0",
     .complexity = kComplexity,
     .summary = "Sorts the elements of a list, a set or a sorted set",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"},
};

}  // namespace

std::span<const CommandSpec> SortCommands() { return kSortCommands; }

}  // namespace pinyon
