#include "persist/aof_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/strings.h"

namespace pinyon {

namespace {

// Far below where adding one could overflow.
constexpr int64_t kMaxSeq = int64_t{1} << 60;

// As Redis does; and names with a single quote, too, which Redis 7.0 writes bare and then cannot read.
bool NeedsQuotes(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return c <= ' ' || c >= 127 || c == '"' || c == '\'' || c == '\\'; });
}

void PrintFile(const AofFile& file, std::string* text) {
  const std::string name = NeedsQuotes(file.name) ? QuoteForLog(file.name) : file.name;
  fmt::format_to(std::back_inserter(*text), "file {} seq {} type {}\n", name, file.seq,
                 static_cast<char>(file.type));
}

std::string CheckName(std::string_view name) {
  if (name.empty()) return "a file's name is empty";
  if (name.find('/') != name.npos) return "a file must be given by its name, not by a path";
  if (name == "." || name == "..") return "a folder is no file of a log";
  if (name.find('\0') != name.npos) return "a file's name has a zero byte";
  return "";
}

}  // namespace

bool AofManifest::Parse(std::string_view text, std::string* error) {
  AofManifest parsed(file_name_);
  if (text.empty()) {
    *error = "the manifest is empty";
    return false;
  }
  if (text.size() > kMaxBytes) {
    *error = fmt::format("the manifest is larger than {} bytes", kMaxBytes);
    return false;
  }
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const size_t end = text.find('\n');
    std::string reason;
    if (std::min(end, text.size()) >= kMaxLineBytes) {
      reason = "the line is too long";
    } else if (end == text.npos) {
      reason = "the last line has no end: the manifest was cut off";
    } else if (text.substr(0, end).find('\0') != text.npos) {
      reason = "the line has a zero byte";
    } else if (text[0] == '#' || ParseLine(text.substr(0, end), &parsed, &reason)) {
      text.remove_prefix(end + 1);
      continue;
    }
    *error = fmt::format("line {}: {}", line_number, reason);
    return false;
  }
  *this = std::move(parsed);
  return true;
}

bool AofManifest::ParseLine(std::string_view line, AofManifest* into, std::string* reason) const {
  const auto words = SplitArgs(line);
  if (!words) {
    *reason = "a quote is not closed";
    return false;
  }
  if (words->empty()) {
    *reason = "the line is blank";
    return false;
  }
  if (words->size() % 2 != 0) {
    *reason = "a key has no value";
    return false;
  }
  AofFile file;
  bool has_name = false, has_type = false;
  for (size_t i = 0; i < words->size(); i += 2) {
    const std::string& key = (*words)[i];
    const std::string& value = (*words)[i + 1];
    if (EqualsIgnoreCase(key, "file")) {
      *reason = CheckName(value);
      if (!reason->empty()) return false;
      file.name = value;
      has_name = true;
    } else if (EqualsIgnoreCase(key, "seq")) {
      if (!ParseInt64(value, &file.seq) || file.seq < 1 || file.seq > kMaxSeq) {
        *reason = fmt::format("{} is no sequence number", QuoteForLog(value));
        return false;
      }
    } else if (EqualsIgnoreCase(key, "type")) {
      if (value != "b" && value != "i" && value != "h") {
        *reason = fmt::format("{} is no type of file (b, i or h)", QuoteForLog(value));
        return false;
      }
      file.type = static_cast<AofFileType>(value[0]);
      has_type = true;
    }
  }
  if (!has_name || !has_type || file.seq == 0) {
    *reason = fmt::format("{} is missing", !has_name ? "file" : file.seq == 0 ? "seq" : "type");
    return false;
  }
  return into->Add(std::move(file), reason);
}

bool AofManifest::Add(AofFile file, std::string* reason) {
  const auto has_its_name = [&](const AofFile& other) { return other.name == file.name; };
  if (file.type != AofFileType::kHistory &&
      ((base_ && has_its_name(*base_)) ||
       std::any_of(incrementals_.begin(), incrementals_.end(), has_its_name))) {
    *reason = file.type == AofFileType::kBase && base_ ? "there is a base file already"
                                                       : "the file is listed already";
    return false;
  }
  switch (file.type) {
    case AofFileType::kHistory: history_.push_back(std::move(file)); return true;
    case AofFileType::kBase:
      if (base_) {
        *reason = "there is a base file already";
        return false;
      }
      last_base_seq_ = file.seq;
      base_ = std::move(file);
      return true;
    case AofFileType::kIncremental:
      if (file.seq <= last_incremental_seq_) {
        *reason = fmt::format("sequence numbers must grow: {} after {}", file.seq, last_incremental_seq_);
        return false;
      }
      last_incremental_seq_ = file.seq;
      incrementals_.push_back(std::move(file));
      return true;
  }
  return false;
}

std::string AofManifest::Print() const {
  std::string text;
  if (base_) PrintFile(*base_, &text);
  for (const AofFile& file : history_) PrintFile(file, &text);
  for (const AofFile& file : incrementals_) PrintFile(file, &text);
  return text;
}

std::vector<AofFile> AofManifest::Files() const {
  std::vector<AofFile> files;
  if (base_) files.push_back(*base_);
  files.insert(files.end(), incrementals_.begin(), incrementals_.end());
  return files;
}

std::string AofManifest::NextIncrementalName() const {
  return fmt::format("{}.{}.incr.aof", file_name_, last_incremental_seq_ + 1);
}

std::string AofManifest::NextBaseName(bool is_rdb) const {
  return fmt::format("{}.{}.base.{}", file_name_, last_base_seq_ + 1, is_rdb ? "rdb" : "aof");
}

void AofManifest::AdoptSingleFile() {
  PINYON_ASSERT(empty());
  base_ = AofFile{file_name_, 1, AofFileType::kBase};
  last_base_seq_ = 1;
}

const AofFile& AofManifest::AddIncremental() {
  incrementals_.push_back({NextIncrementalName(), last_incremental_seq_ + 1, AofFileType::kIncremental});
  ++last_incremental_seq_;
  return incrementals_.back();
}

const AofFile& AofManifest::ReplaceBase(bool is_rdb, int64_t first_incremental) {
  AofFile next{NextBaseName(is_rdb), last_base_seq_ + 1, AofFileType::kBase};
  const auto to_history = [this](AofFile file) {
    file.type = AofFileType::kHistory;
    history_.push_back(std::move(file));
  };
  if (base_) to_history(*base_);
  const auto kept = std::find_if(incrementals_.begin(), incrementals_.end(),
                                 [&](const AofFile& file) { return file.seq >= first_incremental; });
  std::for_each(incrementals_.begin(), kept, to_history);
  incrementals_.erase(incrementals_.begin(), kept);
  base_ = std::move(next);
  ++last_base_seq_;
  return *base_;
}

}  // namespace pinyon
