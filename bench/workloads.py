"""What bench/compare measures: a table of load workloads and a table of memory workloads.

To add one, add a row. A load workload is one redis-benchmark command line; a memory workload is a generator of commands.
"""

import random
from typing import Callable, Iterator, NamedTuple

# redis-benchmark replaces __rand_int__ by twelve digits below KEYS.
KEYS = 200_000
VALUE_BYTES = 64
VALUE = "x" * VALUE_BYTES
KEY = "key:__rand_int__"
CLIENTS = 50


def encode(*words):
    """One command as RESP."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)



def no_data() -> Iterator[bytes]:
    return iter(())


def string_keys() -> Iterator[bytes]:
    """Every key that KEY can name, so that reads hit."""
    for i in range(KEYS):
        yield b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%s\r\n" % (i, VALUE_BYTES, VALUE.encode())


def hashes() -> Iterator[bytes]:
    for i in range(KEYS):
        yield encode("HSET", "h:%012d" % i, "field", VALUE)


def long_list() -> Iterator[bytes]:
    """More elements than four rounds pop."""
    for _ in range(40_000):
        yield encode("RPUSH", "mylist", *[VALUE] * 100)


def board() -> Iterator[bytes]:
    """A leaderboard of all members that the loads name, scores spread."""
    for i in range(KEYS):
        yield encode("ZADD", "board", i * 2654435761 % KEYS, "m:%012d" % i)


class Load(NamedTuple):
    pipeline: int
    # Requests of one round, as a multiple of --requests: cheap requests need more for the same precision.
    multiplier: int
    command: list
    data: Callable[[], Iterator[bytes]] = no_data
    clients: int = CLIENTS


LOADS = {
    "ping-P1": Load(1, 1, ["PING"]),
    "set-P1": Load(1, 1, ["SET", KEY, VALUE], string_keys),
    "get-P1": Load(1, 1, ["GET", KEY], string_keys),
    "set-P16": Load(16, 5, ["SET", KEY, VALUE], string_keys),
    "get-P16": Load(16, 5, ["GET", KEY], string_keys),
    "get-P128": Load(128, 8, ["GET", KEY], string_keys),
    "setex-P16": Load(16, 5, ["SET", KEY, VALUE, "EX", "300"], string_keys),
    "incr-P16": Load(16, 5, ["INCR", "ctr:__rand_int__"]),
    "mset10-P4": Load(4, 1, ["MSET"] + [KEY, VALUE] * 10, string_keys),
    "hset-P16": Load(16, 5, ["HSET", "h:__rand_int__", "field", VALUE], hashes),
    "hget-P16": Load(16, 5, ["HGET", "h:__rand_int__", "field"], hashes),
    "lpush-P16": Load(16, 5, ["LPUSH", "mylist", VALUE]),
    "rpop-P16": Load(16, 5, ["RPOP", "mylist"], long_list),
    "sadd-P16": Load(16, 5, ["SADD", "seen", "member:__rand_int__"]),
    "zadd-P16": Load(16, 4, ["ZADD", "board", "__rand_int__", "m:__rand_int__"], board),
    "zincrby-P16": Load(16, 4, ["ZINCRBY", "board", "3", "m:__rand_int__"], board),
    "zrevrank-P16": Load(16, 4, ["ZREVRANK", "board", "m:__rand_int__"], board),
    "ztop10-P16": Load(16, 2, ["ZREVRANGE", "board", "0", "9", "WITHSCORES"], board),
}


_random = random.Random(7)
_hex = [b"%032x" % _random.getrandbits(128) for _ in range(4096)]


def strings32(first, last):
    """Keys of 17 bytes, values of 32."""
    for i in range(first, last):
        yield b"*3\r\n$3\r\nSET\r\n$17\r\nuser:%012d\r\n$32\r\n%s\r\n" % (i, _hex[i * 2654435761 % 4096])


def ints(first, last):
    """Keys of 17 bytes, decimal values."""
    for i in range(first, last):
        value = b"%d" % (i * 7919)
        yield b"*3\r\n$3\r\nSET\r\n$17\r\ncount:%011d\r\n$%d\r\n%s\r\n" % (i, len(value), value)


def ttl32(first, last):
    """Keys of 17 bytes, values of 32, a time to live each."""
    for i in range(first, last):
        yield b"*5\r\n$3\r\nSET\r\n$17\r\nsess:%012d\r\n$32\r\n%s\r\n$2\r\nEX\r\n$5\r\n86400\r\n" % (
            i,
            _hex[i * 2654435761 % 4096],
        )


def hashes8(first, last):
    """Hashes of eight fields with values of 16 bytes."""
    fields = (b"id", b"user", b"email", b"token", b"ip", b"agent", b"created", b"seen")
    for i in range(first, last):
        words = [b"HSET", b"session:%010d" % i]
        for j, field in enumerate(fields):
            words += [field, _hex[(i * 8 + j) * 2654435761 % 4096][:16]]
        yield encode(*words)


def bigzset(first, last):
    """One sorted set of members of 15 bytes."""
    for i in range(first, last):
        yield encode("ZADD", "board", i * 2654435761 % 10**7, "player:%08d" % i)


def bighash(first, last):
    """One hash of fields of 14 bytes with values of 16."""
    for i in range(first, last):
        yield encode("HSET", "cart", "item:%09d" % i, _hex[i * 2654435761 % 4096][:16])


def bigset(first, last):
    """One set of members of 17 bytes."""
    for i in range(first, last):
        yield encode("SADD", "seen", "visitor:%09d" % i)


def biglist(first, last):
    """One list of elements of 64 bytes."""
    for i in range(first, last):
        yield encode("RPUSH", "queue", _hex[i * 2654435761 % 4096] + _hex[(i + 1) * 2654435761 % 4096])


class Memory(NamedTuple):
    # (first, last) -> the commands that add items first to last - 1, one command and one line of reply an item.
    items: Callable[[int, int], Iterator[bytes]]
    # Tables grow by steps, so one size flatters or hurts: measured at each of these, and the worst is what counts.
    sizes: tuple = (700_000, 1_000_000, 1_400_000, 2_000_000)


MEMORY = {
    "strings32": Memory(strings32),
    "ints": Memory(ints),
    "ttl32": Memory(ttl32),
    "hashes8": Memory(hashes8, (150_000, 200_000, 280_000, 400_000)),
    "bigzset": Memory(bigzset),
    "bighash": Memory(bighash),
    "bigset": Memory(bigset),
    "biglist": Memory(biglist),
}
