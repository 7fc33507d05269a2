// Asks the processor to fetch a cache line that will be read soon. A hint: harmless for any address.
#pragma once

namespace pinyon {

inline void Prefetch(const void* address) {
  __builtin_prefetch(address);
  // The compiler takes a function that only prefetches for one without effect, and drops calls of it when it
  // sees across files.
  asm volatile("" : : "r"(address));
}

}  // namespace pinyon
