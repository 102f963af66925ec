# SPDX-License-Identifier: LGPL-2.1-or-later
"""So many devices that whatever is sent for each, or for all at once, would be too much for a bus."""

import socket
import subprocess
import time

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from bus import MANAGER, ROOT, BusClient, BusDaemon, fixture_bus, plain  # noqa: E402, F401
from conftest import daemons  # noqa: E402
from load import PATIENCE, Load, delete, put  # noqa: E402
from support import DEADLINE, LONG, poll, scaled  # noqa: E402

N = 100_000 if LONG else scaled(5000)

# That the bus and the daemon may grow by: the bus itself keeps up to 64 MiB for each that does not read what it is sent.
MIB = 1024
BUS_MAX, DAEMON_MAX = 300 * MIB, (400 if LONG else 100) * MIB

CONFIG = f"[limits]\nmax_devices = {2 * N}\n"


@pytest.fixture(scope="module", name="crowded")
def fixture_crowded(bus):
    """A daemon with all these devices; the fixture is the daemon."""
    with daemons(lambda directory, config: BusDaemon(directory, config, bus)) as make:
        daemon = make(CONFIG)
        daemon.start()
        fill(daemon)
        yield daemon


def names():
    return [f"d{i:06}" for i in range(N)]


def fill(daemon):
    Load(daemon, (put(name, {"class": "block"}) for name in names())).run()


def empty(daemon):
    Load(daemon, map(delete, names())).run()


def resident(process):
    """KiB of memory that a process has."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_lists_have_pages(crowded, bus):
    with bus.connect() as connection:
        seen, token = [], ""
        while token is not None:
            what = {"limit": ("u", 1000), **({"continue": ("s", token)} if token else {})}
            items, token, _ = connection.manager("ListDevices", "a{sv}", what)
            seen += [path.rpartition("/")[2] for path, _ in items]
            token = token or None
        assert seen == names()


def test_the_tree_and_the_introspection_are_short(crowded, bus):
    before = time.monotonic()
    tree = bus.busctl("tree", "--list", "org.hsvdpa")
    assert tree.returncode == 0 and len(tree.stdout.split()) < 150
    told = bus.busctl("introspect", "--xml-interface", "org.hsvdpa", f"{ROOT}/device")
    assert told.returncode == 0 and len(told.stdout) < 16384
    assert time.monotonic() - before < DEADLINE
    # What the tree does not show is there.
    assert bus.busctl("call", "org.hsvdpa", f"{ROOT}/device/{names()[-1]}", "org.hsvdpa.Device1", "Describe").returncode == 0


def test_finding_by_endpoint_does_not_look_at_all(crowded, bus):
    with bus.connect() as connection:
        _, device = connection.manager("GetDevice", "s", names()[-1])
        endpoint = plain(device)["status"]["endpoint"]
        began = time.monotonic()
        for _ in range(100):
            path, _ = connection.manager("GetDeviceByEndpoint", "s", endpoint)
        assert path == f"{ROOT}/device/{names()[-1]}" and time.monotonic() - began < DEADLINE / 3


class Silent:
    """Someone who asks for all signals, and reads none of them; with a small buffer, so that it is felt at once."""

    def __init__(self, bus):
        self.connection = bus.connect()
        self.connection.dbus.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.add_match("type='signal',sender='org.hsvdpa'")
        self.connection.manager("Subscribe")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def follow(connection, wanted, seconds=PATIENCE):
    """Reads signals until each of the names was told to have gone, and to have come again, or ChangesLost came."""
    gone, come, end = set(), set(), time.monotonic() + seconds
    while not (gone >= wanted and come >= wanted):
        assert time.monotonic() < end, (len(gone), len(come))
        message = connection.receive(PATIENCE)
        member, body = message.header.fields.get(3), message.body
        if member == "ChangesLost":
            return
        if member == "DeviceRemoved":
            gone.add(body[0])
        if member == "DeviceAdded":
            come.add(body[0])


def test_changes_of_all_of_them(crowded, bus):
    """With a monitor, with a subscriber that reads and one that does not: the bus lives, nobody's queue grows without end,
    and whoever reads is told of each or that there was too much."""
    monitor = subprocess.Popen(["busctl", f"--address={bus.address}", "monitor"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = resident(bus.process), resident(crowded.process)
    try:
        with bus.connect() as reader, Silent(bus):
            reader.add_match(f"type='signal',sender='org.hsvdpa',interface='{MANAGER}'")
            reader.manager("Subscribe")
            empty(crowded)
            fill(crowded)
            with bus.connect() as other:
                began = time.monotonic()
                assert plain(other.manager("GetHost")[0])["devices"]["ready"] == N
                assert time.monotonic() - began < DEADLINE
            follow(reader, set(names()), (20 if LONG else 1) * PATIENCE)
        assert monitor.poll() is None
        grown = resident(bus.process) - before[0], resident(crowded.process) - before[1]
        assert grown[0] < BUS_MAX and grown[1] < DAEMON_MAX, grown
    finally:
        monitor.kill()
        monitor.wait()
    assert bus.process.poll() is None and crowded.log().count("On the bus") == 1
    assert BusClient(bus).device(names()[0])["status"]["state"] == "ready"
    poll("an idle daemon", lambda: crowded.client().host()["operations"] == 0)
