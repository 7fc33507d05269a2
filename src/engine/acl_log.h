// What was refused to whom: the entries of ACL LOG, the latest first. Equal refusals within a minute are one
// entry, which counts them.
//
// Bounded by acllog-max-len entries, each of at most some tens of kilobytes: of an object (a key may have
// 512 MB) only the beginning is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

namespace pinyon {

class AclLog {
 public:
  enum class Reason : uint8_t { kCommand, kKey, kChannel, kAuth };
  enum class Context : uint8_t { kTopLevel, kMulti };
  static constexpr size_t kMaxObjectBytes = 16 * 1024;

  struct Refusal {
    Reason reason;
    Context context;
    std::string_view object;  // the command, the key, the channel; AUTH as the client wrote it
    std::string_view username;
    std::string_view client_info;
  };
  struct Entry {
    uint64_t id = 0;  // in the order of coming, for ever
    uint64_t count = 1;
    Reason reason = Reason::kCommand;
    Context context = Context::kTopLevel;
    std::string object;
    std::string username;
    std::string client_info;  // of the latest
    int64_t created_ms = 0;
    int64_t updated_ms = 0;
  };

  // `max_entries` is acllog-max-len: it is obeyed when the next entry comes.
  explicit AclLog(const int64_t& max_entries) : max_entries_(max_entries) {}

  void Add(const Refusal& refusal, int64_t now_ms);
  void Clear() { entries_.clear(); }
  const std::list<Entry>& entries() const { return entries_; }

 private:
  const int64_t& max_entries_;
  uint64_t next_id_ = 0;
  std::list<Entry> entries_;
};

std::string_view ReasonName(AclLog::Reason reason);
std::string_view ContextName(AclLog::Context context);

}  // namespace pinyon
