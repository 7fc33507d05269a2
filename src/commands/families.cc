#include "commands/families.h"

namespace pinyon {

std::vector<std::span<const CommandSpec>> AllFamilies() {
  return {StringCommands(),   StringRangeCommands(), BitmapCommands(),     BitfieldCommands(),
          GenericCommands(),  ScanCommands(),        ExpireCommands(),     ObjectCommands(),
          DatabaseCommands(), TransactionCommands(), ConnectionCommands(), ClientCommands(),
          CommandCommands(),  ConfigCommands(),      AdminCommands(),      DebugCommands()};
}

}  // namespace pinyon
