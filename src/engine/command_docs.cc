#include "engine/command_docs.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/strings.h"

namespace pinyon {

namespace {

using Type = DocArgument::Type;

constexpr std::string_view kKeyNames[] = {"key", "key1",      "key2",    "newkey", "source",
                                          "src", "sourcekey", "destkey", "dst",    "destination"};
constexpr std::string_view kIntegerNames[] = {"bit",
                                              "bits",
                                              "capacity",
                                              "client-id",
                                              "cost",
                                              "count",
                                              "cursor",
                                              "db",
                                              "decrement",
                                              "end",
                                              "entries-added",
                                              "entries-read",
                                              "frequency",
                                              "increment",
                                              "destination-db",
                                              "index",
                                              "index1",
                                              "index2",
                                              "len",
                                              "limit",
                                              "maxage",
                                              "max_burst",
                                              "milliseconds",
                                              "ms",
                                              "numkeys",
                                              "num-matches",
                                              "count_per_period",
                                              "numlocal",
                                              "numreplicas",
                                              "offset",
                                              "period",
                                              "port",
                                              "protover",
                                              "quantity",
                                              "rank",
                                              "refill",
                                              "seconds",
                                              "slot",
                                              "start",
                                              "stop",
                                              "timeout",
                                              "timeout-ms",
                                              "tokens",
                                              "ttl",
                                              "version",
                                              "weight"};
constexpr std::string_view kDoubleNames[] = {"height", "latitude", "longitude", "max",
                                             "min",    "radius",   "score",     "width"};

// Alternatives that have a name of their own in the documentation, by their first two.
struct KnownChoice {
  std::string_view first;
  std::string_view second;
  std::string_view name;
};
constexpr KnownChoice kKnownChoices[] = {
    {"nx", "xx", "condition"},
    {"gt", "lt", "comparison"},
    {"seconds", "milliseconds", "expiration"},
    {"byte", "bit", "index_unit"},
    {"m", "km", "unit"},
    {"asc", "desc", "order"},
    {"async", "sync", "async"},
    {"on", "off", "enabled"},
    {"left", "right", "where"},
    {"before", "after", "where"},
    {"byscore", "bylex", "sortby"},
    {"sum", "min", "aggregate"},
    {"maxlen", "minid", "strategy"},
    {"equal", "approximately", "operator"},
    {"module-name", "category", "filterby"},
    {"ip:port", "options", "filter"},
    {"encoding_offset", "arguments", "operation"},
    {"encoding_offset_value", "encoding_offset_increment", "write_operation"}};

template <size_t kCount>
bool Contains(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsDelimiter(std::string_view word) {
  return word == "[" || word == "]" || word == "<" || word == ">" || word == "|";
}

bool IsToken(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string TokenName(std::string_view token) {
  if (token == "*") return "auto_id";
  if (token == "$") return "new_id";
  if (token == "=") return "equal";
  if (token == "~") return "approximately";
  if (token.empty()) return "empty_string";
  return ToLower(token);
}

Type InferType(const CommandSpec& spec, std::string_view name) {
  const std::string_view group = spec.group, command = spec.name;
  const auto command_has = [&](std::string_view part) {
    return command.find(part) != std::string_view::npos;
  };
  const bool has_keys = spec.keys[0].begin != KeySpec::Begin::kNone;
  if (has_keys && Contains(kKeyNames, name)) return Type::kKey;
  if (name == "pattern") return Type::kPattern;
  if (name.substr(0, 9) == "unix-time") return Type::kUnixTime;
  if (name == "timeout" && (spec.flags & kBlocking)) return Type::kDouble;
  if (name == "value" && group == "bitmap") return Type::kInteger;
  if (name == "increment" && (command_has("float") || group == "sorted-set")) return Type::kDouble;
  if (name == "id" || (group == "stream" && (name == "start" || name == "end"))) return Type::kString;
  if ((name == "min" || name == "max") && command_has("lex")) return Type::kString;
  // What these mean depends on the options: places, scores or members.
  const bool is_any_range = command == "zrange" || command == "zrangestore";
  if (is_any_range && (name == "start" || name == "stop" || name == "min" || name == "max"))
    return Type::kString;
  if (Contains(kDoubleNames, name)) return Type::kDouble;
  return Contains(kIntegerNames, name) ? Type::kInteger : Type::kString;
}

class SyntaxParser {
 public:
  explicit SyntaxParser(const CommandSpec& spec) : spec_(spec) {}

  bool Parse(std::vector<DocArgument>* arguments, std::string* error) {
    Split();
    bool repeated = false;
    if (MatchGroups() && ParseSequence(kNoGroup, &repeated, arguments) && position_ < words_.size()) {
      Fail("closing or alternative outside a group");
    }
    if (!error_.empty()) {
      *error = error_;
      return false;
    }
    int keys_seen = 0;
    NumberKeys(arguments, &keys_seen);
    NameDirections(arguments);
    return true;
  }

 private:
  static constexpr size_t kNoGroup = SIZE_MAX;

  struct Item {
    DocArgument argument;
    size_t start;  // its first word
  };

  bool Fail(std::string_view reason) {
    if (error_.empty()) error_ = reason;
    return false;
  }

  void Split() {
    const std::string_view line = spec_.syntax;
    constexpr std::string_view kEnds = "[]<>| ";
    for (size_t i = 0; i < line.size();) {
      if (line[i] == ' ') {
        ++i;
        continue;
      }
      const bool delimiter = kEnds.find(line[i]) != std::string_view::npos;
      const size_t end = delimiter ? i + 1 : std::min(line.find_first_of(kEnds, i), line.size());
      words_.push_back(line.substr(i, end - i));
      i = end;
    }
  }

  // Fills closing_: of each opening bracket, where its closing one is.
  bool MatchGroups() {
    closing_.assign(words_.size(), 0);
    std::vector<size_t> open;
    for (size_t i = 0; i < words_.size(); ++i) {
      const std::string_view word = words_[i];
      if (word == "[" || word == "<") open.push_back(i);
      if (word != "]" && word != ">") continue;
      if (open.empty() || (words_[open.back()] == "[") != (word == "]")) return Fail("unbalanced brackets");
      closing_[open.back()] = i;
      open.pop_back();
    }
    return open.empty() || Fail("unbalanced brackets");
  }

  // One alternative: up to the end of its group. `group_start` is the first word of the group; *repeated is
  // set when the sequence ends with a repetition of the whole group.
  bool ParseSequence(size_t group_start, bool* repeated, std::vector<DocArgument>* arguments) {
    std::vector<Item> items;
    std::vector<Item> values;  // of the token that is open
    size_t token_at = kNoGroup;
    const auto close_token = [&] {
      if (token_at == kNoGroup) return;
      items.push_back({WithToken(words_[token_at], std::move(values)), token_at});
      values.clear();
      token_at = kNoGroup;
    };
    while (position_ < words_.size()) {
      const std::string_view word = words_[position_];
      if (word == "]" || word == ">" || word == "|") break;
      if (*repeated) return Fail("something follows the repetition of a group");
      if (word == "[" && words_[closing_[position_] - 1] == "...") {
        size_t start = 0;
        if (!RepetitionStart(group_start, &start)) return false;
        const bool of_values = token_at != kNoGroup && start > token_at;
        if (!of_values) close_token();
        if (start == group_start) {
          *repeated = true;
        } else if (!Repeat(start, of_values ? &values : &items)) {
          return false;
        }
        continue;
      }
      if (word == "...") return Fail("dots outside a repetition");
      if (!IsDelimiter(word) && IsToken(word)) {
        close_token();
        token_at = position_++;
        continue;
      }
      if (word == "[") close_token();
      Item item{{}, position_};
      if (!ParseItem(&item.argument)) return false;
      (token_at == kNoGroup ? items : values).push_back(std::move(item));
    }
    close_token();
    for (Item& item : items) arguments->push_back(std::move(item.argument));
    return true;
  }

  bool ParseItem(DocArgument* argument) {
    if (IsDelimiter(words_[position_])) return ParseGroup(argument);
    argument->name = words_[position_++];
    argument->type = InferType(spec_, argument->name);
    return true;
  }

  bool ParseGroup(DocArgument* argument) {
    const size_t open = position_++;
    const size_t close = closing_[open];
    bool repeated = false;
    std::vector<DocArgument> alternatives;
    for (;;) {
      std::vector<DocArgument> sequence;
      if (!ParseSequence(open + 1, &repeated, &sequence)) return false;
      if (sequence.empty()) return Fail("an empty alternative");
      alternatives.push_back(sequence.size() == 1 ? std::move(sequence[0]) : Block(std::move(sequence)));
      if (position_ == close) break;
      PINYON_ASSERT(words_[position_] == "|");
      if (repeated) return Fail("something follows the repetition of a group");
      ++position_;
    }
    position_ = close + 1;
    *argument = alternatives.size() == 1 ? std::move(alternatives[0]) : OneOf(std::move(alternatives));
    if (repeated) {
      argument->multiple = true;
      argument->multiple_token = argument->has_token;
    }
    if (words_[open] == "[") argument->optional = true;
    return true;
  }

  // At a `[x ...]`: finds where the x starts that it repeats, and goes behind it.
  bool RepetitionStart(size_t group_start, size_t* start) {
    const size_t first = position_ + 1;
    const size_t count = closing_[position_] - 1 - first;
    const size_t floor = group_start == kNoGroup ? 0 : group_start;
    if (count == 0 || count > position_ - floor) return Fail("a repetition of nothing");
    *start = position_ - count;
    if (!std::equal(words_.begin() + static_cast<ptrdiff_t>(first),
                    words_.begin() + static_cast<ptrdiff_t>(first + count),
                    words_.begin() + static_cast<ptrdiff_t>(*start))) {
      return Fail("a repetition of something else than what is before it");
    }
    position_ = first + count + 2;
    return true;
  }

  // Makes one repeatable argument of the items from word `start` on.
  bool Repeat(size_t start, std::vector<Item>* items) {
    const auto from =
        std::find_if(items->begin(), items->end(), [&](const Item& item) { return item.start == start; });
    if (from == items->end()) return Fail("a repetition of a part of an argument");
    if (std::next(from) != items->end()) {
      std::vector<DocArgument> parts;
      for (auto it = from; it != items->end(); ++it) parts.push_back(std::move(it->argument));
      from->argument = Block(std::move(parts));
      items->erase(std::next(from), items->end());
    }
    from->argument.multiple = true;
    from->argument.multiple_token = from->argument.has_token;
    return true;
  }

  static DocArgument WithToken(std::string_view token, std::vector<Item> values) {
    if (token == "\"\"") token = "";
    DocArgument argument;
    if (values.empty()) {
      argument.name = TokenName(token);
      argument.type = Type::kPureToken;
    } else if (values.size() == 1) {
      argument = std::move(values[0].argument);
    } else {
      std::vector<DocArgument> parts;
      parts.reserve(values.size());
      for (Item& value : values) parts.push_back(std::move(value.argument));
      argument = Block(std::move(parts));
    }
    argument.has_token = true;
    argument.token = token;
    return argument;
  }

  static std::string JoinedNames(const std::vector<DocArgument>& arguments) {
    std::string name;
    for (const DocArgument& argument : arguments) {
      if (!name.empty()) name += '_';
      name += argument.name;
    }
    return name;
  }

  static DocArgument Block(std::vector<DocArgument> parts) {
    const bool plain =
        parts.size() <= 3 && std::none_of(parts.begin(), parts.end(), [](const DocArgument& part) {
          return part.optional || part.has_token || !part.arguments.empty();
        });
    DocArgument block;
    block.name = plain ? JoinedNames(parts) : "arguments";
    block.type = Type::kBlock;
    block.arguments = std::move(parts);
    return block;
  }

  static DocArgument OneOf(std::vector<DocArgument> choices) {
    DocArgument one_of;
    for (const KnownChoice& known : kKnownChoices) {
      if (choices[0].name == known.first && choices[1].name == known.second) one_of.name = known.name;
    }
    if (one_of.name.empty()) one_of.name = choices.size() <= 4 ? JoinedNames(choices) : "options";
    one_of.type = Type::kOneOf;
    one_of.arguments = std::move(choices);
    return one_of;
  }

  // Keys belong to the key specifications in their order; what is left over belongs to the last one.
  void NumberKeys(std::vector<DocArgument>* arguments, int* keys_seen) const {
    int last_spec = -1;
    for (const KeySpec& keys : spec_.keys) last_spec += keys.begin != KeySpec::Begin::kNone;
    for (DocArgument& argument : *arguments) {
      if (argument.type == Type::kKey) argument.key_spec_index = std::min((*keys_seen)++, last_spec);
      NumberKeys(&argument.arguments, keys_seen);
    }
  }

  // Two ends one after the other (LMOVE) are where from and where to.
  static void NameDirections(std::vector<DocArgument>* arguments) {
    for (size_t i = 1; i < arguments->size(); ++i) {
      DocArgument& first = (*arguments)[i - 1];
      DocArgument& second = (*arguments)[i];
      if (first.name != "where" || second.name != "where") continue;
      first.name = "wherefrom";
      second.name = "whereto";
    }
  }

  const CommandSpec& spec_;
  std::vector<std::string_view> words_;
  std::vector<size_t> closing_;
  size_t position_ = 0;
  std::string error_;
};

}  // namespace

bool ParseSyntax(const CommandSpec& spec, std::vector<DocArgument>* arguments, std::string* error) {
  arguments->clear();
  return SyntaxParser(spec).Parse(arguments, error);
}

std::string_view DocTypeName(DocArgument::Type type) {
  constexpr std::string_view kNames[] = {"string",    "integer",    "double", "key",  "pattern",
                                         "unix-time", "pure-token", "oneof",  "block"};
  return kNames[static_cast<size_t>(type)];
}

}  // namespace pinyon
