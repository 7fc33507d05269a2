"""Made-up traffic for bench/hitratio: sequences of key numbers, and each key's value size.

Every trace names about ten times the keys that the cache holds, so that the ratio of both is that of a working set too
large for memory. They are the same for every server and every run.
"""

import array
import bisect
import random
from typing import Callable, NamedTuple

VALUE_BYTES = 100
# Sizes that vary go from a small counter to a page, as many small as large ones on a logarithmic scale.
SMALL_BYTES, LARGE_BYTES = 16, 4096


class Trace(NamedTuple):
    name: str
    # (keys, requests) -> numbers of keys
    generate: Callable[[int, int], array.array]
    sizes_vary: bool = False

    def size_of(self, key):
        if not self.sizes_vary:
            return VALUE_BYTES
        # A random number that belongs to the key.
        mixed = (key * 0x9E3779B97F4A7C15 + 0x1234567) & (2**64 - 1)
        mixed = ((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        unit = (mixed >> 11) / 2**53
        return int(SMALL_BYTES * (LARGE_BYTES / SMALL_BYTES) ** unit)


def zipf_ranks(keys, exponent, requests, seed=1):
    """Ranks from 0, the i-th with a probability proportional to (i + 1) ** -exponent."""
    sums, total = [], 0.0
    for i in range(keys):
        total += (i + 1) ** -exponent
        sums.append(total)
    rng = random.Random(seed).random
    find = bisect.bisect_right
    return [find(sums, rng() * total) for _ in range(requests)]


def zipf(exponent):
    return lambda keys, requests: array.array("I", zipf_ranks(keys, exponent, requests))


def scans(keys, requests):
    """Zipf 0.8, and three requests in ten name keys that never come again: a scan of 3 % of all keys at a time."""
    period = max(keys // 10, 10)
    ranks = zipf_ranks(keys, 0.8, requests)
    fresh = iter(range(keys, keys + requests))
    return array.array("I", (next(fresh) if i % period >= period * 7 // 10 else ranks[i] for i in range(requests)))


def drift(keys, requests):
    """Zipf 1.0; all along, single keys come up and all others become a little less popular: a fifth of them in all."""
    every = max(requests // (keys // 5), 1)
    return array.array("I", (rank + i // every for i, rank in enumerate(zipf_ranks(keys, 1.0, requests))))


def shifts(times):
    """Zipf 1.0; so many times in all other keys become popular at once."""

    def generate(keys, requests):
        every = max(requests // times, 1)
        step = keys * 3 // 10 + 17
        return array.array(
            "I", ((rank + i // every * step) % keys for i, rank in enumerate(zipf_ranks(keys, 1.0, requests)))
        )

    return generate


def loop(share):
    """All of a share of the keys one after the other, over and over."""
    return lambda keys, requests: array.array("I", (i % int(keys * share) for i in range(requests)))


def loop_and_zipf(keys, requests):
    """A loop over a fifth of the keys, and as many requests of Zipf 1.0 to others."""
    ranks = zipf_ranks(keys, 1.0, requests)
    return array.array("I", (keys + i // 2 % (keys // 5) if i % 2 else ranks[i] for i in range(requests)))


TRACES = [
    Trace("zipf-0.7", zipf(0.7)),
    Trace("zipf-0.8", zipf(0.8)),
    Trace("zipf-0.9", zipf(0.9)),
    Trace("zipf-1.0", zipf(1.0)),
    Trace("zipf-1.1", zipf(1.1)),
    Trace("zipf-1.2", zipf(1.2)),
    Trace("scans", scans),
    Trace("drift", drift),
    Trace("shifts", shifts(4)),
    Trace("fast-shifts", shifts(10)),
    Trace("loop", loop(0.25)),
    Trace("loop+zipf", loop_and_zipf),
    Trace("sizes", zipf(1.0), sizes_vary=True),
]
