#!/usr/bin/env python3
"""A server that does nothing but answer: PING with +PONG, every other command with +OK. How long its clients wait is
what the machine and the load cost by themselves.

  bench/answerer.py PORT

A request counts by its '*', so arguments must hold none.
"""

import gc
import selectors
import socket
import sys

READ_BYTES = 1 << 20


def answer(connection, selector):
    data = connection.recv(READ_BYTES)
    if not data:
        selector.unregister(connection)
        connection.close()
        return
    connection.sendall((b"+PONG\r\n" if b"PING\r\n" in data else b"+OK\r\n") * data.count(b"*"))


def main():
    gc.disable()
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
            else:
                answer(key.fileobj, selector)


if __name__ == "__main__":
    main()
