# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that want to be the only ones, by doing nothing or too much; and whether the others notice.

How much longer an answer takes meanwhile is printed, and not judged: the flood comes from the same processors."""

import contextlib
import multiprocessing
import os
import resource
import socket
import time

import pytest

from client import Raw, connect
from support import LONG, SLOW, net_spec, scaled

N_IDLE = 10_000 if LONG else scaled(2_000)
N_SLOW = 2_000 if LONG else scaled(300)
SECONDS = 60 if LONG else 4
BODY = 100 << 20
DEPTH = 100_000

# What the daemon may take for all of this, and say about it.
MAX_GROWTH_KIB = 400 * 1024
MAX_LINES = 50

PUT = b"PUT /v1/devices/d HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def go_on(address, stop, attack):
    """Does the same again and again, whatever becomes of it."""
    os.nice(19)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, N_IDLE + 1000), hard))
    while not stop.is_set():
        with contextlib.suppress(OSError):
            attack(address, stop)


def connect_at_once(address):
    """Without waiting for a place in the queue of a listening socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(0.5)
    try:
        sock.connect(str(address))
    except OSError:
        sock.close()
        raise
    return sock


def open_many(address, stop, n, data):
    """Leaves so many open, with the beginning of a request or with nothing."""
    with contextlib.ExitStack() as stack:
        for i in range(n):
            if stop.is_set():
                return
            sock = stack.enter_context(connect_at_once(address))
            with contextlib.suppress(OSError):
                sock.sendall(data)
            # As many as there can be are there at once; then there is a steady stream of them.
            if i % 100 == 99:
                stop.wait(0.05)
        stop.wait(1)


def idle(address, stop):
    open_many(address, stop, N_IDLE, b"")


def slow_headers(address, stop):
    open_many(address, stop, N_SLOW, b"GET /v1/host HTTP/1.1\r\nHost: x\r\nX-Slow: ")


def slow_bodies(address, stop):
    open_many(address, stop, N_SLOW, PUT % 5000 + b'{"spec":' + b" " * 100)


def large_bodies(address, stop):
    with connect(address) as sock:
        sock.sendall(PUT % BODY)
        for _ in range(BODY >> 20):
            sock.sendall(b" " * (1 << 20))
        sock.recv(4096)


def deep_bodies(address, stop):
    with Raw(address) as raw:
        body = b'{"spec":' + b"[" * DEPTH + b"]" * DEPTH + b"}"
        raw.send(PUT % len(body) + body)
        assert raw.answer("PUT").status == 400


ATTACKS = (idle, slow_headers, slow_bodies, large_bodies, deep_bodies)


def p99(seconds):
    return sorted(seconds)[int(len(seconds) * 0.99)]


def work(client, seconds):
    """What an honest client does meanwhile, and how long each of its requests takes. Each is served."""
    times = []
    end = time.monotonic() + seconds
    i = 0
    while time.monotonic() < end:
        for request in (lambda: client.get("/v1/host").expect(200),
                        lambda: client.put(f"w{i}", net_spec()).expect(201),
                        lambda: client.get(f"/v1/devices/w{i}").expect(200),
                        lambda: client.delete(f"w{i}").expect(204)):
            begin = time.monotonic()
            request()
            times.append(time.monotonic() - begin)
            time.sleep(0.002)
        i += 1
    return times


def rss_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@pytest.mark.skipif(SLOW, reason="a daemon that is slowed down is no measure, and a flood of it takes for ever")
def test_flood(make_daemon, record_property):
    daemon = make_daemon()
    client = daemon.start()
    quiet = work(client, SECONDS / 2)
    before, n_lines = rss_kib(daemon), daemon.log().count("\n")
    n_own = len(quiet)

    stop = multiprocessing.Event()
    attackers = [multiprocessing.Process(target=go_on, args=(daemon.socket, stop, attack)) for attack in ATTACKS]
    for attacker in attackers:
        attacker.start()
    try:
        time.sleep(SECONDS / 4)
        flooded = work(client, SECONDS)
        after = rss_kib(daemon)
    finally:
        stop.set()
        for attacker in attackers:
            attacker.join(10)
            attacker.kill()

    ratio = p99(flooded) / p99(quiet)
    print(f"\nflood: {N_IDLE} idle and {2 * N_SLOW} slow clients, bodies of {BODY >> 20} MiB and {DEPTH} levels: "
          f"p99 of others {p99(quiet) * 1e3:.1f} ms before, {p99(flooded) * 1e3:.1f} ms meanwhile ({ratio:.1f} times), "
          f"{len(flooded)} requests served, memory {before} KiB before, {after} KiB after")
    record_property("p99 ratio", f"{ratio:.2f}")
    assert after - before < MAX_GROWTH_KIB
    # Its own devices are told of, a line for each of a few steps.
    n_more = daemon.log().count("\n") - n_lines - len(flooded)
    assert n_more < MAX_LINES, daemon.log()[-5000:]
    assert n_own > 0 and client.devices() == {}
