#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether what the daemon says of its resources can be so.

An outsider's view: it reads REST and nothing else, knows nothing of how the daemon counts, and counts again by itself
from the lists of devices and management devices. What it proves of the state that it reads:

- no two devices share an ASID in one space, or an entry of the message store of one management device;
- no ID is held that counts as reserved, or that is none of the space's (one that was held before it was reserved stays
  with its holder, and counts as used until then);
- used + free + reserved + quarantined = total, of every resource whose total is known;
- what is used is what the devices that exist hold: no ID is in use that no device holds, and none is held that does not
  count;
- management devices that share a space say the same of it.

It is a program (checker.py --url unix:/run/hsvdpa/api.sock; exit status 1: something is damaged) and a module:
check(), check_connection().
"""

import argparse
import http.client
import json
import socket
import sys
import time
from urllib.parse import quote, urlsplit

RESOURCES = ("devices", "asids", "msis", "vqs")
COUNTS = ("reserved", "used", "quarantined")
SOURCES = {"config", "devlink", "pci", "driver", "model"}
ENFORCERS = {"ledger", "kernel", "model"}
KINDS = {"device-mmu", "pasid"}
STATES = ("reserved", "creating", "ready", "deleting", "failed", "lost")

# Failed devices hold nothing, unless they are still on the host; all others hold what they were given.
MAY_HOLD_NOTHING = {"failed"}

PAGE = 1000
SHOWN = 50


class Damaged(AssertionError):
    """The daemon contradicts itself."""

    def __init__(self, damages):
        self.damages = damages
        more = [f"and {len(damages) - SHOWN} more"] if len(damages) > SHOWN else []
        super().__init__("\n".join(damages[:SHOWN] + more))


class Busy(Exception):
    """The state never stood still while it was read."""


def parse_ranges(text):
    """The (first, last) of each range in "0-15,100"."""
    ranges = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        ranges.append((int(first), int(last or first)))
    return ranges


class Pool:
    """Numbered things of which each has one holder: the ASIDs of a space, the entries of a message store."""

    def __init__(self, what, budget, complain):
        self.what = what
        self.total = budget["total"]
        self.used = budget["used"]
        self.n_foreign = budget["foreign"]
        self.n_reserved = budget["reserved"]
        self.reserved = []
        self.reserve(budget)
        self.holders = {}
        self.complain = complain

    def reserve(self, budget):
        self.reserved += parse_ranges(budget.get("reserved_ids") or "")

    def hold(self, name, number):
        holder = self.holders.setdefault(number, name)
        if holder != name:
            self.complain(f"{self.what}: {number} is held by {holder} and by {name}")
        if number < 0:
            self.complain(f"{self.what}: {name} holds {number}")

    def is_reserved(self, number):
        return any(first <= number <= last for first, last in self.reserved)

    def count_named(self):
        """How many IDs are named as reserved, each once, and are there."""
        n, end = 0, 0
        for first, last in sorted(self.reserved):
            last = last if self.total is None else min(last, self.total - 1)
            n += max(0, last + 1 - max(first, end))
            end = max(end, last + 1)
        return n

    def check_reserved(self):
        held = [number for number in self.holders if self.is_reserved(number)]
        n_named = self.count_named()
        if self.n_reserved < n_named - len(held):
            self.complain(f"{self.what}: {n_named} IDs are named as reserved, {len(held)} of them are held, and "
                          f"{self.n_reserved} are reserved")
        elif held and self.n_reserved >= n_named:
            self.complain(f"{self.what}: {self.holders[held[0]]} holds {held[0]}, which is reserved")

    def finish(self):
        self.check_reserved()
        n_held = len(self.holders) + self.n_foreign
        if n_held != self.used:
            self.complain(f"{self.what}: {self.used} are used, and devices hold {n_held}, "
                          f"{self.n_foreign} of that foreign ones")
        if self.total is None:
            return
        beyond = [number for number in self.holders if number >= self.total]
        if beyond:
            number = min(beyond)
            self.complain(f"{self.what}: {self.holders[number]} holds {number}, and there are {self.total}")


class Checker:
    """Is given the management devices, then each device, then is asked for the damages."""

    def __init__(self, mgmtdevs):
        self.damages = []
        self.mgmtdevs = {}
        self.spaces, self.stores = {}, {}
        self.n_devices, self.n_vqs, self.states = {}, {}, dict.fromkeys(STATES, 0)
        self.names, self.uids = set(), set()
        for mgmtdev in mgmtdevs:
            self.add_mgmtdev(mgmtdev)

    def complain(self, text):
        self.damages.append(text)

    def add_mgmtdev(self, mgmtdev):
        handle, budgets = mgmtdev["handle"], mgmtdev["budgets"]
        if handle in self.mgmtdevs:
            self.complain(f"{handle}: is listed twice")
            return
        self.mgmtdevs[handle] = mgmtdev
        self.n_devices[handle] = self.n_vqs[handle] = 0
        if sorted(budgets) != sorted(RESOURCES):
            self.complain(f"{handle}: has the budgets {', '.join(budgets)}")
        for resource in RESOURCES:
            self.check_budget(f"{handle}: {resource}", budgets[resource])
        if mgmtdev["asid_kind"] not in KINDS:
            self.complain(f"{handle}: has ASIDs of the kind {mgmtdev['asid_kind']}")

        self.stores[handle] = Pool(f"{handle}: msis", budgets["msis"], self.complain)
        self.add_space(mgmtdev)

    def add_space(self, mgmtdev):
        """Two management devices with one space must say the same of it."""
        key, budget = mgmtdev["asid_space"], mgmtdev["budgets"]["asids"]
        kind = mgmtdev["asid_kind"]
        first = self.spaces.get(key)
        if not first:
            self.spaces[key] = (Pool(f"space {key}: asids", budget, self.complain), mgmtdev)
            return
        first[0].reserve(budget)
        what, other = f"space {key}: {mgmtdev['handle']} and {first[1]['handle']}", first[1]["budgets"]["asids"]
        if kind != first[1]["asid_kind"]:
            self.complain(f"{what}: {kind} and {first[1]['asid_kind']}")
        # What is quarantined becomes free as time goes by, between the one and the other, too.
        sums = [{**b, "free": (b["free"] or 0) + b["quarantined"], "quarantined": 0} for b in (budget, other)]
        for field in ("total", "free", "foreign", *COUNTS):
            if sums[0].get(field) != sums[1].get(field):
                self.complain(f"{what}: {field} of asids: {sums[0].get(field)} and {sums[1].get(field)}")

    def check_budget(self, what, budget):
        counts = [budget[count] for count in COUNTS]
        if not 0 <= budget["foreign"] <= budget["used"]:
            self.complain(f"{what}: {budget['foreign']} of {budget['used']} are used by foreign devices")
        if any(type(count) is not int or count < 0 for count in counts):
            self.complain(f"{what}: counts are {counts}")
            return
        if (budget["total"] is None) != (budget["free"] is None):
            self.complain(f"{what}: total is {budget['total']}, free is {budget['free']}")
        elif budget["total"] is not None and (budget["free"] < 0 or sum(counts) + budget["free"] != budget["total"]):
            sums = ", ".join(f"{key} {budget[key]}" for key in (*COUNTS, "free"))
            self.complain(f"{what}: {sums} do not make up the total of {budget['total']}")
        if budget["source"] not in SOURCES or budget["enforced_by"] not in ENFORCERS:
            self.complain(f"{what}: source {budget['source']}, enforced by {budget['enforced_by']}")

    def add_device(self, device):
        name, status = device["name"], device["status"]
        for value, seen in ((name, self.names), (device["uid"], self.uids)):
            if value in seen:
                self.complain(f"{name}: {value} is there twice")
            seen.add(value)
        if status["state"] not in self.states:
            self.complain(f"{name}: is in the state {status['state']}")
        else:
            self.states[status["state"]] += 1

        handle = status["mgmtdev"]
        if handle not in self.mgmtdevs:
            self.complain(f"{name}: is on {handle}, which is not there")
            return
        if status["asids"] or status["msis"]:
            self.add_held(name, handle, status)
        elif status["state"] not in MAY_HOLD_NOTHING:
            self.complain(f"{name}: is {status['state']} and holds nothing")

    def add_held(self, name, handle, status):
        self.n_devices[handle] += 1
        self.add_asids(name, self.mgmtdevs[handle], status["asids"])
        self.add_msis(name, handle, status)

    def add_asids(self, name, mgmtdev, rows):
        if not rows or [row["group"] for row in rows] != list(range(len(rows))):
            self.complain(f"{name}: has ASIDs of the groups {[row['group'] for row in rows]}")
        if len({row["asid"] for row in rows}) < len(rows):
            self.complain(f"{name}: has one ASID for two groups: {[row['asid'] for row in rows]}")
        pool = self.spaces[mgmtdev["asid_space"]][0]
        for row in rows:
            if row["kind"] != mgmtdev["asid_kind"]:
                self.complain(f"{name}: has a {row['kind']}, and {mgmtdev['handle']} has {mgmtdev['asid_kind']}")
            pool.hold(name, row["asid"])

    def add_msis(self, name, handle, status):
        rows = status["msis"]
        vqs = [row["vq"] for row in rows if "vq" in row]
        entries = {row["entry"] for row in rows}
        if not vqs or vqs != list(range(len(vqs))):
            self.complain(f"{name}: has MSI entries of the virtqueues {vqs}")
        if [row.get("config") for row in rows if "vq" not in row] != [True]:
            self.complain(f"{name}: does not have one MSI entry for configuration changes")
        if status["msi_shared"] != (len(entries) < len(rows)):
            self.complain(f"{name}: has {len(entries)} MSI entries for {len(rows)} interrupts; "
                          f"msi_shared is {status['msi_shared']}")
        self.n_vqs[handle] += len(vqs)
        for entry in entries:
            self.stores[handle].hold(name, entry)

    def finish(self, host=None):
        """The damages, as sentences; none: all is well."""
        for pool in (*(space[0] for space in self.spaces.values()), *self.stores.values()):
            pool.finish()
        for handle, mgmtdev in self.mgmtdevs.items():
            budgets, n_foreign = mgmtdev["budgets"], mgmtdev["foreign_devices"]
            n = self.n_devices[handle] + n_foreign
            if budgets["devices"]["used"] != n or budgets["devices"]["foreign"] != n_foreign:
                self.complain(f"{handle}: devices: {budgets['devices']['used']} are used, and there are {n}, "
                              f"{n_foreign} of them foreign")
            n = self.n_vqs[handle] + budgets["vqs"]["foreign"]
            if budgets["vqs"]["used"] != n:
                self.complain(f"{handle}: vqs: {budgets['vqs']['used']} are used, and devices have {n}")
        if host:
            self.check_host(host)
        return self.damages

    def check_host(self, host):
        n_foreign = sum(mgmtdev["foreign_devices"] for mgmtdev in self.mgmtdevs.values())
        counted = {"total": len(self.names), **self.states, "foreign": n_foreign}
        if host["devices"] != counted:
            self.complain(f"host: says {host['devices']}, and listed are {counted}")


def check(devices, mgmtdevs, host=None):
    """The damages in these documents, as sentences."""
    checker = Checker(mgmtdevs)
    for device in devices:
        checker.add_device(device)
    return checker.finish(host)


class Connection(http.client.HTTPConnection):
    """To unix:PATH, tcp:HOST:PORT or http://HOST:PORT."""

    def __init__(self, url, timeout=60):
        kind, _, rest = url.partition(":")
        self.path = rest if kind == "unix" else None
        parts = urlsplit(f"//{rest}" if kind == "tcp" else url)
        super().__init__("localhost" if self.path else parts.hostname, None if self.path else parts.port, timeout)

    def connect(self):
        if not self.path:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, path):
        self.request("GET", path)
        response = self.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {path}: {response.status}: {body.decode(errors='replace')}")
        return json.loads(body)


def read_once(connection):
    """One pass over everything: the checker that has seen it, and whether it stood still meanwhile."""
    host, mgmtdevs = connection.ask("/v1/host"), connection.ask("/v1/mgmtdevs")["items"]
    checker, more, revisions = Checker(mgmtdevs), "", set()
    while more is not None:
        page = connection.ask(f"/v1/devices?limit={PAGE}" + (f"&continue={quote(more)}" if more else ""))
        for device in page["items"]:
            checker.add_device(device)
        revisions.add(page["revision"])
        more = page.get("continue")

    again, host_again = connection.ask("/v1/mgmtdevs")["items"], connection.ask("/v1/host")
    revisions.add(connection.ask("/v1/devices?limit=1")["revision"])
    is_still = len(revisions) == 1 and host["operations"] == host_again["operations"] == 0
    is_still = is_still and [m["revision"] for m in mgmtdevs] == [m["revision"] for m in again]
    return checker, host, is_still


def check_connection(connection, patience=10):
    """Reads the daemon's state, again while it changes under the reader, at most so many seconds, and raises Damaged if
    something is wrong with it, Busy if it never stood still. Returns the number of devices."""
    end = time.monotonic() + patience
    while True:
        checker, host, is_still = read_once(connection)
        if is_still:
            damages = checker.finish(host)
            if damages:
                raise Damaged(damages)
            return len(checker.names)
        if time.monotonic() > end:
            raise Busy(f"the daemon was never idle in {patience} s")
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description="Checks what an hsvdpad says of its resources.")
    parser.add_argument("--url", default="unix:/run/hsvdpa/api.sock", help="unix:PATH or tcp:HOST:PORT")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for an idle moment")
    arguments = parser.parse_args()
    try:
        n = check_connection(Connection(arguments.url), arguments.patience)
    except Damaged as damaged:
        print(*damaged.damages, sep="\n")
        sys.exit(1)
    except (Busy, RuntimeError, OSError, http.client.HTTPException) as error:
        sys.exit(f"checker: {error}")
    print(f"{n} devices: nothing is held twice, and every sum is right")


if __name__ == "__main__":
    main()
