#include "engine/session.h"

#include "base/assert.h"
#include "engine/blocking.h"
#include "engine/session_pushes.h"
#include "engine/session_subscriber.h"
#include "engine/session_tracking.h"

namespace pinyon {

Session::Session(uint64_t session_id, ReplySink* sink) : id(session_id), reply(sink), normal_sink(sink) {}

// Whoever ends a session has taken it out of the queues in which it waited.
Session::~Session() { PINYON_ASSERT(suspension == nullptr); }

void Transaction::Reset() {
  // A connection keeps room for small transactions only: idle ones should own next to nothing.
  constexpr size_t kKeepBytes = 512;
  if (MemoryBytes() > kKeepBytes) {
    std::string().swap(text_);
    std::vector<size_t>().swap(ends_);
    std::vector<Queued>().swap(commands_);
  } else {
    text_.clear();
    ends_.clear();
    commands_.clear();
  }
  active_ = executing_ = false;
  has_error_ = false;
  flags_ = 0;
  watched_changed_ = false;
}

void Transaction::Queue(Command* command, Args args) {
  PINYON_ASSERT(active_ && command != nullptr && !args.empty());
  // It will not run, so nothing more of it is kept.
  if (has_error_ || watched_changed_) return;
  commands_.push_back({command, ends_.size(), args.size(), text_.size()});
  flags_ |= command->flags;
  for (const std::string_view arg : args) {
    text_.append(arg);
    ends_.push_back(text_.size());
  }
}

void Transaction::GetArgs(size_t index, std::vector<std::string_view>* args) const {
  const Queued& queued = commands_[index];
  args->clear();
  size_t start = queued.text_start;
  for (size_t i = 0; i < queued.argc; ++i) {
    const size_t end = ends_[queued.first_end + i];
    args->push_back(std::string_view(text_).substr(start, end - start));
    start = end;
  }
  PINYON_ASSERT(args->size() == queued.argc);
}

}  // namespace pinyon
