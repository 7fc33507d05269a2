#include "commands/families.h"

namespace pinyon {

std::vector<std::span<const CommandSpec>> AllFamilies() {
  // A line each, as in the header.
  // clang-format off
  return {
      StringCommands(),
      StringRangeCommands(),
      BitmapCommands(),
      BitfieldCommands(),
      RateLimitCommands(),
      ListCommands(),
      ListMoveCommands(),
      HashCommands(),
      HashScanCommands(),
      HashExpireCommands(),
      HashGetexCommands(),
      SetCommands(),
      SetAlgebraCommands(),
      HyperLogLogCommands(),
      ZsetAlgebraCommands(),
      ZsetCommands(),
      ZsetRangeCommands(),
      ZsetPopCommands(),
      GeoCommands(),
      GeoSearchCommands(),
      SortCommands(),
      GenericCommands(),
      DumpCommands(),
      MigrateCommands(),
      ScanCommands(),
      ExpireCommands(),
      ObjectCommands(),
      DatabaseCommands(),
      TransactionCommands(),
      ConnectionCommands(),
      ClientCommands(),
      AclCommandFamily(),
      CommandCommands(),
      ConfigCommands(),
      AdminCommands(),
      MemoryCommands(),
      PersistenceCommands(),
      WaitCommands(),
      PubSubCommands(),
      DebugCommands(),
  };
  // clang-format on
}

}  // namespace pinyon
