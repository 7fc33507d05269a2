"""Hit ratios of caches that choose exactly, for a trace and a room in bytes, of which a key takes size_of(key).

Each returns the share of hits among the requests from `first` on.
"""

import array
import collections
import heapq


def lru(requests, room, size_of, first):
    held, used, hits = collections.OrderedDict(), 0, 0
    for i, key in enumerate(requests):
        if key in held:
            held.move_to_end(key)
            hits += i >= first
            continue
        size = size_of(key)
        held[key] = size
        used += size
        while used > room:
            used -= held.popitem(last=False)[1]
    return hits / (len(requests) - first)


def optimum(requests, room, size_of, first):
    """Belady's: what is used again the latest goes. With sizes that vary that is not the optimum, which is NP-hard to
    find; what goes then is the largest product of size and distance, which comes near it."""
    never = len(requests) * 2
    following = array.array("Q", bytes(8 * len(requests)))
    last = {}
    for i in range(len(requests) - 1, -1, -1):
        following[i] = last.get(requests[i], never)
        last[requests[i]] = i
    uniform = len({size_of(key) for key in set(requests)}) == 1
    held, used, hits, heap = {}, 0, 0, []
    for i, key in enumerate(requests):
        size = size_of(key)
        if key in held:
            hits += i >= first
        else:
            used += size
        held[key] = following[i]
        if uniform:
            heapq.heappush(heap, (-following[i], key, following[i]))
        elif following[i] < never:
            heapq.heappush(heap, (-size * (following[i] - i), key, following[i]))
        else:
            del held[key]
            used -= size
        while used > room:
            _, victim, at = heapq.heappop(heap)
            if held.get(victim) == at:
                del held[victim]
                used -= size_of(victim)
    return hits / (len(requests) - first)
