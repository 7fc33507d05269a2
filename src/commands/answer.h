// The reply of what the server did about its disk.
#pragma once

#include "engine/call.h"

namespace pinyon {

inline void ReplyAnswer(Call& call, const PersistenceControl::Answer& answer) {
  answer.ok ? call.reply.SimpleString(answer.text) : call.reply.Error(answer.text);
}

}  // namespace pinyon
