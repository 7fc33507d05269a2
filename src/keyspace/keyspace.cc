#include "keyspace/keyspace.h"

namespace pinyon {

Keyspace::Keyspace(int databases, uint64_t random_seed) : random_(random_seed) {
  // Not from random_, whose numbers clients can observe (RANDOMKEY, SPOP).
  Random secret = Random::FromSystem();
  seed_ = {secret.Next(), secret.Next()};
  for (int i = 0; i < databases; ++i) databases_.push_back(std::make_unique<Database>(*this, i, seed_));
}

size_t Keyspace::TotalKeys() const {
  size_t total = 0;
  for (const auto& database : databases_) total += database->size();
  return total;
}

}  // namespace pinyon
