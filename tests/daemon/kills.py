#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills a daemon at random instants, thousands of times, under mixed load on many connections.

Each run: start the daemon (now and then killed in the middle of that, too), look whether all that the last one has
acknowledged is so, and whether the inventory, the simulated hardware and the daemon agree; then load it with creations,
changes, deletions, claims and returns until it is killed. What is answered before its end counts as promised, also what it had sent and
nobody had read yet.

As a program: kills.py --runs 10000 [--seed N]; HSVDPAD names the daemon. It prints what came of it; exit status 1: there
was damage, and the directory is kept.
"""

import argparse
import collections
import json
import random
import pathlib
import selectors
import shutil
import sys
import tempfile
import time

import claims
from audit import Audit
from client import connect
from daemon import Daemon
from promises import Promises
from support import net_spec, poll, sim_section

N_CONNECTIONS = 12
N_CLAIMERS = 3
NAMES_EACH = 12
QUARANTINE_SEC = 1

# So few IDs that they come back soon, and two management devices that share theirs.
CONFIG = f"""[resources]
quarantine_sec = {QUARANTINE_SEC}
""" + "".join([
    sim_section("pci/0000:01:00.0", asid_kind="pasid", asids=2000, msis=4000, latency_usec=200),
    sim_section("auxiliary/x.sf.1", asid_kind="pasid", pci_function="0000:01:00.0", asids=2000, msis=4000),
    sim_section("sim0", asids=1500, msis=3000, vqs=2000, latency_usec=50),
])

# The longest that the load goes on, and the start is let alone; seconds.
LOAD_MAX = 0.06
START_MAX = 0.03
START_KILLS = 0.15


class Connection:
    """Asks for one thing after the other, each when the last one was answered; its names are its own."""

    def __init__(self, number, chance, promises):
        self.names = [f"c{number:02}-{i:02}" for i in range(NAMES_EACH)]
        self.chance = chance
        self.promises = promises
        self.damages = []
        self.sock = None

    def open(self, address):
        self.sock = connect(address)
        self.buffer = b""
        self.request = None
        self.ask()

    def choose(self):
        """Method, name, spec of the body."""
        name = self.chance.choice(self.names)
        device = self.promises.may_be(name)[0]
        if device is None:
            return "PUT", name, self.make_spec()
        kind = self.chance.random()
        if kind < 0.5:
            return "DELETE", name, None
        if kind < 0.6:
            return "PUT", name, device.spec
        change = {"owner": f"vm:{self.chance.randrange(1000)}"}
        if device.spec["class"] == "net" and kind < 0.85:
            change["net"] = {"mac": f"02:00:00:00:00:{self.chance.randrange(256):02x}"}
        return "PATCH", name, change

    def make_spec(self):
        driver = self.chance.choice(["vhost_vdpa", "vhost_vdpa", "virtio_vdpa"])
        kind = self.chance.randrange(4)
        if kind < 2:
            return net_spec(f"02:00:00:00:01:{self.chance.randrange(256):02x}", max_vqp=self.chance.choice([1, 1, 2, 16]),
                            driver=driver)
        if kind == 2:
            return {"class": "block", "driver": driver, "labels": {"a": "b"}, "persistent": False}
        return {"class": "gpu", "endpoint": {"uid": 107, "gid": self.chance.randrange(200), "mode": "0660"}}

    def ask(self):
        method, name, spec = self.request = self.choose()
        self.promises.asked(*self.request)
        self.send(method, f"/v1/devices/{name}", {"spec": spec} if spec else None)

    def send(self, method, path, content):
        body = json.dumps(content).encode() if content else b""
        kind = "merge-patch+json" if method == "PATCH" else "json"
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
        if body:
            head += f"Content-Type: application/{kind}\r\nContent-Length: {len(body)}\r\n"
        try:
            self.sock.sendall(head.encode() + b"\r\n" + body)
        except OSError:
            pass

    def read(self, goes_on=True):
        """Takes what has come; False: that was the end."""
        try:
            chunk = self.sock.recv(65536)
        except OSError:
            chunk = b""
        self.buffer += chunk
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if separator:
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(fields.get(b"content-length", 0))
            if len(body) >= length:
                self.buffer = body[length:]
                self.take(int(head.split(b" ", 2)[1]), body[:length])
                if goes_on:
                    self.ask()
        return bool(chunk)

    def take(self, status, body):
        method, name, _ = self.request
        damage = self.promises.answered(method, name, status, json.loads(body) if body else None)
        if damage:
            self.damages.append(damage)
        if status >= 400 and status not in (503, 507, 409, 422):
            self.damages.append(f"{method} {name} was answered with {status}: {body.decode()}")

    def close(self):
        """When the daemon has ended: what it had sent before is its word, too."""
        while self.read(goes_on=False):
            pass
        self.sock.close()


class Claimer(Connection):
    """Takes devices out of a pool, and gives back what anyone has taken."""

    def __init__(self, chance, known):
        super().__init__(0, chance, None)
        self.claims = known

    def ask(self):
        free = sorted(self.claims.held.keys() - self.claims.returning)
        if free and self.chance.random() < 0.5:
            uid = self.chance.choice(free)
            self.claims.returning.add(uid)
            self.request = "return", uid
            self.send("POST", f"/v1/pools/{claims.POOL}:return", {"device": self.claims.held[uid][0], "uid": uid})
        else:
            mac = f"02:00:00:00:02:{self.chance.randrange(256):02x}" if self.chance.random() < 0.5 else None
            self.request = "claim", self.claims.ask(mac)
            self.send("POST", f"/v1/pools/{claims.POOL}:claim", {"spec": self.request[1]})

    def take(self, status, body):
        kind, what = self.request
        if status >= 400 and status != 503:
            self.damages.append(f"{kind} {what} was answered with {status}: {body.decode()}")
        if kind == "return":
            self.claims.returned(what, status)
            return
        damage = self.claims.claimed(what, status, json.loads(body))
        if damage:
            self.damages.append(damage)


class Kills:
    """The whole of it; counts as it goes."""

    def __init__(self, daemon, seed):
        self.daemon = daemon
        self.chance = random.Random(seed)
        self.promises = Promises()
        self.claims = claims.Claims()
        self.connections = [Connection(n, self.chance, self.promises) for n in range(N_CONNECTIONS)]
        self.connections += [Claimer(self.chance, self.claims) for _ in range(N_CLAIMERS)]
        self.audit = None
        self.counts = collections.Counter()
        self.damages = []

    def start(self):
        while self.chance.random() < START_KILLS:
            self.daemon.spawn()
            time.sleep(self.chance.random() * START_MAX)
            self.daemon.kill9()
            self.counts["kills"] += 1
        client = self.daemon.start()
        if not self.counts["runs"]:
            client.put_pool(claims.POOL, claims.SPEC)

    def check(self):
        audit = Audit(self.daemon.state_dir, self.daemon.runtime_dir, f"unix:{self.daemon.socket}", QUARANTINE_SEC)
        damages = audit.run()
        others, claims_lost, claims_extra = self.claims.settle(audit.devices)
        lost, extra = self.promises.settle(others)
        lost += claims_lost
        extra += claims_extra
        self.counts["lost"] += len(lost) + sum(text.startswith("lost: ") for text in damages)
        self.counts["leaked"] += len(extra) + sum(text.startswith("leaked: ") for text in damages)
        self.damages += damages + lost + extra

    def load(self):
        """Until a random moment; the daemon is killed then."""
        end = time.monotonic() + self.chance.random() * LOAD_MAX
        with selectors.DefaultSelector() as selector:
            for connection in self.connections:
                connection.open(self.daemon.socket)
                selector.register(connection.sock, selectors.EVENT_READ, connection)
            while (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    key.data.read()
        self.daemon.kill9()
        self.counts["kills"] += 1
        for connection in self.connections:
            connection.close()
            self.damages += connection.damages
            connection.damages = []

    def run(self):
        self.start()
        self.check()
        self.load()
        self.counts["runs"] += 1

    def finish(self):
        """All is deleted; nothing may be left of it."""
        client = self.daemon.start()
        self.check()
        client.request("DELETE", f"/v1/pools/{claims.POOL}").expect(204)
        for uid in list(self.claims.held):
            client.delete(self.claims.held.pop(uid)[0], uid=uid).expect(204)
        for name in sorted(self.promises.names):
            client.delete(name).expect(204)
            self.promises.names[name] = [None]
        poll("end of the pool", lambda: not client.devices())
        self.check()
        self.daemon.stop()

    def report(self):
        self.counts["damages"] = len(self.damages)
        counts = ", ".join(f"{self.counts[key]} {key}" for key in ("runs", "kills", "lost", "leaked", "damages"))
        return f"{counts}; {self.promises.n_answers + self.claims.n_answers} answers"


def kill(daemon, runs, seed, tell=None):
    """Returns the finished Kills."""
    kills = Kills(daemon, seed)
    for i in range(runs):
        kills.run()
        if kills.damages:
            return kills
        if tell and (i + 1) % 500 == 0:
            tell(kills.report())
    kills.finish()
    return kills


def main():
    parser = argparse.ArgumentParser(description="Kills an hsvdpad at random instants under load.")
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="hsvdpa-"))
    begin = time.monotonic()
    kills = kill(Daemon(directory, CONFIG), arguments.runs, arguments.seed, lambda text: print(text, flush=True))
    if kills.damages:
        print(*kills.damages[:50], f"kept: {directory}", sep="\n")
        kills.daemon.terminate()
    else:
        shutil.rmtree(directory)
    print(f"{kills.report()}; {time.monotonic() - begin:.0f} s, seed {arguments.seed}")
    sys.exit(1 if kills.damages else 0)


if __name__ == "__main__":
    main()
