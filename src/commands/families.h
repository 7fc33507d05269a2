// The table of contents: every family of commands. Each is declared at the bottom of its own file.
#pragma once

#include <span>
#include <vector>

#include "engine/command_spec.h"

namespace pinyon {

std::span<const CommandSpec> StringCommands();  // string.cc
std::span<const CommandSpec>
StringRangeCommands();                             // string_range.cc: APPEND, GETRANGE, SETRANGE, STRLEN, LCS
std::span<const CommandSpec> BitmapCommands();     // bitmap.cc
std::span<const CommandSpec> BitfieldCommands();   // bitfield.cc
std::span<const CommandSpec> RateLimitCommands();  // rate_limit.cc: CL.THROTTLE, TB.*
std::span<const CommandSpec> ListCommands();       // list.cc
std::span<const CommandSpec> ListMoveCommands();   // list_move.cc: LMOVE, LMPOP, the blocking ones
std::span<const CommandSpec> SetCommands();        // set.cc
std::span<const CommandSpec> HashCommands();       // hash.cc
std::span<const CommandSpec> HashScanCommands();   // hash_scan.cc: HRANDFIELD, HSCAN
std::span<const CommandSpec> HashExpireCommands();   // hash_expire.cc: HEXPIRE to HPERSIST
std::span<const CommandSpec> HashGetexCommands();    // hash_getex.cc: HGETEX, HSETEX, HGETDEL
std::span<const CommandSpec> ZsetAlgebraCommands();  // zset_algebra.cc
std::span<const CommandSpec> SetAlgebraCommands();   // set_algebra.cc
std::span<const CommandSpec> HyperLogLogCommands();  // hyperloglog.cc
std::span<const CommandSpec> ZsetCommands();         // zset.cc: by member; also ZSCAN, ZRANDMEMBER
std::span<const CommandSpec> ZsetRangeCommands();    // zset_range.cc: also ZRANGESTORE, ZREMRANGEBY*
std::span<const CommandSpec> ZsetPopCommands();      // zset_pop.cc: also BZPOPMIN, BZPOPMAX, BZMPOP
std::span<const CommandSpec> GeoCommands();          // geo.cc
std::span<const CommandSpec> GeoSearchCommands();    // geo_search.cc
std::span<const CommandSpec> SortCommands();         // sort.cc: SORT, SORT_RO
std::span<const CommandSpec> GenericCommands();      // generic.cc: also MOVE
std::span<const CommandSpec> DumpCommands();         // dump.cc: DUMP, RESTORE
std::span<const CommandSpec> MigrateCommands();      // migrate.cc
std::span<const CommandSpec> ScanCommands();         // scan.cc: SCAN, KEYS, RANDOMKEY
std::span<const CommandSpec> DatabaseCommands();     // database.cc: SELECT, SWAPDB, FLUSHDB, FLUSHALL, DBSIZE
std::span<const CommandSpec> ObjectCommands();       // object.cc
std::span<const CommandSpec> ExpireCommands();       // expire.cc
std::span<const CommandSpec> TransactionCommands();  // transaction.cc
std::span<const CommandSpec> ConnectionCommands();   // connection.cc: AUTH, HELLO, PING, ECHO, QUIT, RESET
std::span<const CommandSpec> ClientCommands();       // client.cc
std::span<const CommandSpec> AclCommandFamily();     // acl.cc
std::span<const CommandSpec> CommandCommands();      // command.cc
std::span<const CommandSpec> ConfigCommands();       // config.cc
std::span<const CommandSpec> AdminCommands();        // admin.cc: INFO, TIME, SHUTDOWN, LOLWUT
std::span<const CommandSpec> MemoryCommands();       // memory.cc
std::span<const CommandSpec> PersistenceCommands();  // persistence.cc: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF
std::span<const CommandSpec> WaitCommands();         // wait.cc: WAIT, WAITAOF
std::span<const CommandSpec> PubSubCommands();       // pubsub.cc
std::span<const CommandSpec> DebugCommands();        // debug.cc

// All of the above: what a server's command table holds.
std::vector<std::span<const CommandSpec>> AllFamilies();

}  // namespace pinyon
