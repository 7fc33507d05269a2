// How a loader runs commands without knowing the engine, which implements this.
//
// All of a unit (a command, or the commands between MULTI and EXEC) runs between BeginUnit and EndUnit: time
// stands still, nothing else comes between. Nothing propagates, no client is told anything, and what has
// expired is only hidden (the log has its deletion, if it was one).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pinyon {

class Executor {
 public:
  struct Result {
    enum class Verdict : uint8_t {
      kDone,
      kUnknownCommand,
      kRefused,  // wrong number of arguments, or an error reply: the log was not written by what it seems
    };
    Verdict verdict = Verdict::kDone;
    std::string text;  // of the error
  };

  virtual ~Executor() = default;
  virtual int DatabaseCount() const = 0;
  virtual void BeginUnit() {}
  virtual void EndUnit() {}
  // Never MULTI, EXEC or SELECT. The arguments are borrowed for the call.
  virtual Result Run(int database, std::span<const std::string_view> args) = 0;
};

}  // namespace pinyon
