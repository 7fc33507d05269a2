// Decides, one after the other, which `count` of `total` things are in a sample, in one pass and without
// memory: every subset of that size has the same odds (Knuth, The Art of Computer Programming, vol. 2, 3.4.2,
// algorithm S).
#pragma once

#include <cstddef>

#include "base/assert.h"
#include "base/random.h"

namespace pinyon {

class SelectionSampler {
 public:
  SelectionSampler(size_t count, size_t total, Random& random)
      : wanted_(count), left_(total), random_(random) {
    PINYON_ASSERT(count <= total);
  }

  // Whether the next thing is in the sample; to be asked at most `total` times.
  bool Take() {
    PINYON_ASSERT(left_ > 0);
    const bool take = random_.Below(left_--) < wanted_;
    if (take) --wanted_;
    return take;
  }
  bool done() const { return wanted_ == 0; }

 private:
  size_t wanted_;
  size_t left_;
  Random& random_;
};

}  // namespace pinyon
