# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 at random instants under load, on the real kernel: what was acknowledged holds, and nothing leaks."""

import contextlib
import os
import random
import threading
import time

import pytest

import rest
import service
from mortal import DIRECTORY, Died, Mortal
from rest import block, net

LONG = os.environ.get("HSVDPA_TEST_LONG", "") not in ("", "0")
RUNS = int(os.environ.get("HSVDPA_KILLS", "300" if LONG else "12"))
SEED = int(os.environ.get("HSVDPA_SEED", "1"))

N_CLIENTS = 6
NAMES_EACH = 4

# The longest that the load goes on, and the start is let alone; seconds.
LOAD_MAX = 1.0
START_MAX = 0.5
START_KILLS = 0.15


def make_spec(chance, number):
    """Mostly such as are quickly made: a network interface or a disk has udev at work, too."""
    driver = "virtio_vdpa" if chance.random() < 0.1 else "vhost_vdpa"
    if chance.random() < 0.15:
        return block(driver=driver)
    return net(number, driver=driver, endpoint={"uid": 107, "gid": chance.randrange(200), "mode": "0660"})


class Client(threading.Thread):
    """Asks for one thing after the other, each when the last one was answered, until the daemon dies; its names are its
    own."""

    def __init__(self, daemon, number, seed):
        super().__init__(daemon=True)
        self.mortal = daemon
        self.number = number
        self.chance = random.Random(f"{seed} {number}")
        self.failure = None
        self.n_answers = 0

    def run(self):
        connection = rest.Connection()
        try:
            while True:
                self.ask(connection)
                self.n_answers += 1
        except Died:
            pass
        except AssertionError as failure:
            self.failure = failure
        finally:
            connection.close()

    def ask(self, connection):
        number = self.number * NAMES_EACH + self.chance.randrange(NAMES_EACH)
        name = f"d{number:02}"
        with self.mortal.lock:
            device = self.mortal.promises.may_be(name)[0]
        kind = self.chance.random()
        if device is None:
            self.mortal.call("PUT", name, make_spec(self.chance, number), connection=connection)
        elif kind < 0.6:
            self.mortal.call("DELETE", name, connection=connection)
        else:
            change = {"owner": f"vm:{self.chance.randrange(1000)}"}
            if device.spec["class"] == "net" and kind < 0.9:
                change["net"] = {"mac": f"02:00:00:00:{number:02x}:{self.chance.randrange(256):02x}"}
            self.mortal.call("PATCH", name, change, connection=connection)


@pytest.fixture
def daemon(monkeypatch):
    service.wipe()
    monkeypatch.setattr(rest, "SOCKET", f"{DIRECTORY}/api.sock")
    daemon = Mortal()
    try:
        yield daemon
    finally:
        print(f"--- log of the daemon\n{daemon.log()}")
        daemon.end()


def start(daemon, chance):
    """Returns how often it was killed in that."""
    n_kills = 0
    while chance.random() < START_KILLS:
        daemon.spawn()
        time.sleep(chance.random() * START_MAX)
        daemon.kill()
        n_kills += 1
    daemon.start()
    return n_kills


def load(daemon, chance, run):
    """Until a random moment; returns the number of answers that came before."""
    clients = [Client(daemon, number, f"{SEED} {run}") for number in range(N_CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(chance.random() * LOAD_MAX)
    daemon.kill()
    for client in clients:
        client.join(60)
        assert not client.is_alive() and not client.failure, client.failure
    return sum(client.n_answers for client in clients)


def test_random_kills(daemon, capsys):
    chance = random.Random(SEED)
    n_kills = n_answers = 0
    for run in range(RUNS):
        n_kills += start(daemon, chance) + 1
        daemon.check()
        n_answers += load(daemon, chance, run)
    daemon.start()
    daemon.check()
    daemon.leave_nothing()
    daemon.stop()
    with contextlib.suppress(OSError), capsys.disabled():
        print(f"{RUNS} runs, {n_kills} kills, 0 lost, 0 leaked, {n_answers} answers, seed {SEED}")
