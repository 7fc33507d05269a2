#include "keyspace/lazy_free_options.h"

namespace pinyon {

void LazyFreeOptions::Declare(SettingsRegistry& registry) {
  registry.AddBool("lazyfree-lazy-eviction", {.target = &eviction});
  registry.AddBool("lazyfree-lazy-expire", {.target = &expire});
  registry.AddBool("lazyfree-lazy-server-del", {.target = &server_del});
  registry.AddBool("lazyfree-lazy-user-del", {.target = &user_del});
  registry.AddBool("lazyfree-lazy-user-flush", {.target = &user_flush});
}

}  // namespace pinyon
