"""Starting a server, loading it, and reading from /proc what it cost."""

import os
import pathlib
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from workloads import KEYS, encode

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
FEED_BATCH = 500
START_TIMEOUT_S = 20
# Time for a server to finish freeing and resizing before its memory is read.
SETTLE_S = 0.5


class Failure(Exception):
    """A server or the load generator did not do what it was asked."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One running server in a folder of its own; `with` stops it and removes the folder, unless it was given."""

    def __init__(self, name, command, pinned, folder=None, start_timeout_s=START_TIMEOUT_S):
        self.name = name
        self.port = free_port()
        self.start_timeout_s = start_timeout_s
        self.keep_folder = folder is not None
        self.folder = folder or tempfile.mkdtemp(prefix="pinyon-bench-")
        words = shlex.split(command.format(port=self.port))
        # A relative path means the caller's folder, else the repository; the server runs in a folder of its own.
        binary = shutil.which(words[0]) or shutil.which(str(ROOT / words[0]))
        if not binary:
            if not self.keep_folder:
                shutil.rmtree(self.folder)
            raise Failure(f"{name}: no such program: {words[0]}")
        words[0] = os.path.abspath(binary)
        if pinned:
            words = ["taskset", "-c", str(SERVER_CORE)] + words
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.process = subprocess.Popen(
            words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        if not self.keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self):
        end = time.monotonic() + self.start_timeout_s
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.call("PING") == b"+PONG":
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.seek(0)
        raise Failure(f"{self.name} did not start:\n{self.log.read()[-2000:].decode(errors='replace')}")

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def call(self, *words):
        """First line of the reply, and the rest of a bulk string when it is one."""
        with self.connect() as connection, connection.makefile("rb") as reader:
            connection.sendall(encode(*words))
            line = reader.readline().rstrip(b"\r\n")
            if line[:1] == b"$" and line != b"$-1":
                return reader.read(int(line[1:]))
            return line

    def feed(self, commands):
        """Sends commands that are each answered by one line, in batches; stops at the first error reply."""
        with self.connect() as connection:
            batch = []

            def flush():
                connection.sendall(b"".join(batch))
                owed = len(batch)
                while owed > 0:
                    data = connection.recv(1 << 20)
                    if not data:
                        raise Failure(f"{self.name} closed the connection")
                    if data[:1] == b"-" or b"\n-" in data:
                        raise Failure(f"{self.name}: {data[:200].decode(errors='replace')}")
                    owed -= data.count(b"\n")
                batch.clear()

            for command in commands:
                batch.append(command)
                if len(batch) == FEED_BATCH:
                    flush()
            if batch:
                flush()

    def cpu_seconds(self):
        """User and system time of all threads that live: in nanoseconds from schedstat, else in clock ticks."""
        try:
            total_ns = 0
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                text = pathlib.Path(f"/proc/{self.process.pid}/task/{task}/schedstat").read_text()
                total_ns += int(text.split()[0])
            if total_ns:
                return total_ns / 1e9
        except OSError:
            pass
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise Failure(f"{self.name} has no VmRSS")

    def info(self, section):
        """The fields of a section of INFO, as text."""
        text = self.call("INFO", section).decode(errors="replace")
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def version(self):
        values = self.info("server")
        if "pinyon_version" in values:
            return f"Pinyon {values['pinyon_version']}"
        return f"Redis {values.get('redis_version', 'unknown')}"

    def used_memory(self):
        return int(self.info("memory")["used_memory"])


def prepare(server, load):
    """The same data for every server and every run, and a look at one reply: a server that answers errors is fast."""
    server.call("FLUSHALL")
    server.feed(load.data())
    reply = server.call(*[word.replace("__rand_int__", "000000000001") for word in load.command])
    if reply[:1] == b"-":
        raise Failure(f"{server.name}: {' '.join(load.command)[:60]}: {reply.decode(errors='replace')}")
    server.call("DEL", "ctr:000000000001")


def run_load(server, load, requests):
    """One round. Returns requests/s, server CPU microseconds per request, and the 50th and 99th percentile in ms."""
    command = ["taskset", "-c", str(LOAD_CORE), os.environ.get("REDIS_BENCHMARK", "redis-benchmark")]
    command += ["-p", str(server.port), "-n", str(requests), "-c", str(load.clients), "-P", str(load.pipeline)]
    command += ["-r", str(KEYS), "--csv"] + load.command
    before = server.cpu_seconds()
    result = subprocess.run(command, capture_output=True, text=True, timeout=900)
    used = server.cpu_seconds() - before
    # "test","rps","avg","min","p50","p95","p99","max"; the test's name may itself hold commas and quotes.
    numbers = re.findall(r'"([\d.]+)"', result.stdout.strip().splitlines()[-1] if result.stdout.strip() else "")
    if result.returncode != 0 or len(numbers) < 7:
        raise Failure(f"redis-benchmark on {server.name}: {result.stdout[-300:]} {result.stderr[-300:]}")
    rps, _, _, p50, _, p99, _ = (float(number) for number in numbers[-7:])
    return {"rps": rps, "cpu_us": used / requests * 1e6, "p50_ms": p50, "p99_ms": p99}


def median_of(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def run_memory(server, memory, scale):
    """Bytes of resident memory per item at each size, the server growing from one to the next."""
    time.sleep(SETTLE_S)
    empty = server.resident_bytes()
    sizes, done = {}, 0
    for size in memory.sizes:
        size = int(size * scale)
        server.feed(memory.items(done, size))
        done = size
        time.sleep(SETTLE_S)
        sizes[str(size)] = (server.resident_bytes() - empty) / size
    return sizes
