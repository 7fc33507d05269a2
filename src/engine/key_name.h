// A key together with its database as one string: by this go the tables of keys that are named, not pointed
// to (watched keys, keys that clients wait for). They are hashed with the keyspace's secret, since clients
// choose the keys.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace pinyon {

namespace key_name {

inline void Assign(std::string* name, int database, std::string_view key) {
  name->assign(reinterpret_cast<const char*>(&database), sizeof database);
  name->append(key);
}
inline int DatabaseOf(std::string_view name) {
  int database;
  std::memcpy(&database, name.data(), sizeof database);
  return database;
}
inline std::string_view KeyOf(std::string_view name) { return name.substr(sizeof(int)); }

}  // namespace key_name

struct KeyNameHash {
  HashSeed seed;
  size_t operator()(const std::string& name) const { return HashBytes(name, seed); }
};

// To be constructed with (0, KeyNameHash{keyspace.seed()}).
template <typename Value>
using KeyNameMap = std::unordered_map<std::string, Value, KeyNameHash>;

}  // namespace pinyon
