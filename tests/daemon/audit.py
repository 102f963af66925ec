#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the inventory on disk, the simulated hardware and what the daemon says are one and the same.

Nobody's word is taken for it: the inventory is read from its database, the hardware from its own tables (simmodel.py), and
the daemon over REST, where checker.py also counts again what is held. What is proved when nothing is under way:

- what is recorded is what is told: the same devices, with the same uid, spec, place and holdings;
- every device that is ready is there, as it was asked for, and holds just what is recorded (else something is lost);
- whatever is there is recorded, and nothing holds an ID that is not its own by both the device's list and the table of
  the IDs (else something has leaked);
- no ID is held by two, and none is held that is recorded as released and still quarantined;
- what counts as quarantined is what was recorded as released;
- no intent is left that nobody is at, and the hardware has seen no fault.

It is a program (audit.py --state-dir DIR [--runtime-dir DIR] [--url URL] [--foreign NAME]...; exit status 1: something is damaged) and a
module: read_inventory(), check_inventory(), check_told(), check_model(), Audit.
"""

import argparse
import json
import pathlib
import sqlite3
import sys
import time
from urllib.parse import quote

import checker
import simmodel

# What the hardware need not have. Failed devices that hold something may be there, or not.
MAY_BE_ABSENT = {"lost", "failed"}
UNSETTLED = {"reserved", "creating", "deleting"}

ENDPOINT = {"uid": 0, "gid": 0, "mode": "0600"}


def parse_ids(text):
    return [number for first, last in checker.parse_ranges(text) for number in range(first, last + 1)]


def join_spec(row):
    """The spec of a record: what is each device's own has columns of its own."""
    spec = json.loads(row["spec"])
    if row["owner"]:
        spec["owner"] = row["owner"]
    if row["labels"]:
        spec["labels"] = json.loads(row["labels"])
    if row["mac"]:
        spec["net"] = {**spec["net"], "mac": row["mac"]}
    return spec


class Inventory:
    """The tables, by the names of their columns; the settings by key."""

    def __init__(self, path):
        # Without writing: the log stays where the daemon has left it.
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as database:
            database.row_factory = sqlite3.Row
            database.execute("BEGIN")
            self.devices = {row["name"]: dict(row) for row in database.execute("SELECT * FROM device")}
            intended = {row["revision"] for row in database.execute("SELECT revision FROM intent")}
            self.quarantine = [dict(row) for row in database.execute("SELECT * FROM quarantine")]
            self.meta = dict(database.execute("SELECT key, value FROM meta"))
        database.close()
        for row in self.devices.values():
            row["spec"] = join_spec(row)
            # As it will be, and is not yet.
            if row["revision"] in intended:
                row["state"] = "reserved"
        for row in [*self.devices.values(), *self.quarantine]:
            row["asids"], row["msis"] = parse_ids(row["asids"]), parse_ids(row["msis"])

    def held(self):
        """Each ID that is recorded as held: (kind, where it is from, number), and by whom."""
        for row in self.devices.values():
            yield from (((("asids", row["asid_space"], number), row["name"])) for number in row["asids"])
            yield from (((("msis", row["mgmtdev"], number), row["name"])) for number in row["msis"])

    def released(self, since_usec):
        """The IDs that were released since then."""
        return {
            key for row in self.quarantine if row["released_usec"] >= since_usec
            for key in [*(("asids", row["asid_space"], number) for number in row["asids"]),
                        *(("msis", row["mgmtdev"], number) for number in row["msis"])]
        }


def check_inventory(inventory, quarantine_sec):
    """What is wrong with the records by themselves."""
    damages, holders, uids = [], {}, {}
    recent = inventory.released((time.time() - quarantine_sec) * 1e6)
    for key, name in inventory.held():
        kind, where, number = key
        other = holders.setdefault(key, name)
        if other != name:
            damages.append(f"inventory: {kind} {number} of {where} is held by {other} and by {name}")
        if key in recent:
            damages.append(f"inventory: {kind} {number} of {where} is held by {name}, and was just released")
    for name, row in inventory.devices.items():
        other = uids.setdefault(row["uid"], name)
        if other != name:
            damages.append(f"inventory: {other} and {name} have one uid")
        if row["state"] in UNSETTLED:
            damages.append(f"inventory: {name} is {row['state']}, and nobody is at it")
        if row["state"] == "ready" and not row["asids"]:
            damages.append(f"inventory: {name} is ready and holds nothing")
    return damages


def check_told(inventory, devices):
    """What the daemon says of its devices that is not recorded so."""
    damages = [f"told: {name} is recorded, and not told of" for name in sorted(inventory.devices.keys() - devices.keys())]
    damages += [f"told: {name} is told of, and not recorded" for name in sorted(devices.keys() - inventory.devices.keys())]
    for name in sorted(inventory.devices.keys() & devices.keys()):
        row, device = inventory.devices[name], devices[name]
        status = device["status"]
        pairs = {
            "uid": (row["uid"], device["uid"]), "spec": (row["spec"], device["spec"]),
            "state": (row["state"], status["state"]), "mgmtdev": (row["mgmtdev"], status["mgmtdev"]),
            "generation": (row["generation"], device["generation"]),
            "asids": (row["asids"], [held["asid"] for held in status["asids"]]),
            "msis": (set(row["msis"]), {held["entry"] for held in status["msis"]}),
        }
        damages += [f"told: {name}: {what}: {recorded!r} is recorded, and {told!r} told"
                    for what, (recorded, told) in pairs.items() if recorded != told]
    return damages


def check_quarantine(inventory, mgmtdevs, quarantine_sec):
    """Only where nothing becomes free while one looks: quarantine_sec is longer than the test."""
    damages, released = [], inventory.released((time.time() - quarantine_sec) * 1e6)
    for mgmtdev in mgmtdevs:
        for kind, where in (("asids", mgmtdev["asid_space"]), ("msis", mgmtdev["handle"])):
            n = sum(key[:2] == (kind, where) for key in released)
            told = mgmtdev["budgets"][kind]["quarantined"]
            if n != told:
                damages.append(f"quarantine: {n} {kind} of {where} are recorded as released, and {told} are quarantined")
    return damages


def check_tables(model):
    """What is wrong with the hardware by itself."""
    damages, holders = [], {}
    for mgmtdev in model.mgmtdevs.values():
        if mgmtdev.n_faults:
            damages.append(f"hardware: {mgmtdev.handle} has had {mgmtdev.n_faults} faults: {mgmtdev.last_fault}")
    for device in model.devices:
        if not device.mgmtdev:
            damages.append(f"hardware: {device.name} is on no management device")
            continue
        for key in model.held(device):
            kind, _, number = key
            other = holders.setdefault(key, device.name)
            if other != device.name:
                damages.append(f"hardware: {kind} {number} is with {other} and with {device.name}")
            if model.holders[key] != (device.slot, device.generation):
                damages.append(f"hardware: {kind} {number} is with {device.name}, and another's in its table")
    return damages


def check_model(inventory, model, foreign=()):
    """What the hardware has that is not recorded, and the reverse. foreign: names of devices of others."""
    damages, there = check_tables(model), {}
    for device in model.devices:
        if device.name in there:
            damages.append(f"hardware: {device.name} is there twice")
        there[device.name] = device
    for name in foreign:
        if not there.pop(name, None):
            damages.append(f"lost: {name} is someone else's, and not there")
        if inventory.devices.get(name, {}).get("asids"):
            damages.append(f"taken: {name} is someone else's, and recorded as ours")
    for name, device in there.items():
        row = inventory.devices.get(name)
        if not row:
            damages.append(f"leaked: {name} is there, and not recorded")
        elif device.mgmtdev and row["mgmtdev"] != device.mgmtdev.handle:
            damages.append(f"leaked: {name} is on {device.mgmtdev.handle}, and recorded on {row['mgmtdev']}")
        elif row["state"] == "failed" and not row["asids"]:
            damages.append(f"leaked: {name} is there, and recorded as failed, without holding anything")
        elif row["state"] == "ready":
            damages += compare(row, device)
    for name, row in inventory.devices.items():
        if name not in there and row["state"] not in MAY_BE_ABSENT:
            damages.append(f"lost: {name} is recorded as {row['state']}, and not there")
    return damages


def compare(row, device):
    """A device that is ready, and the same of the hardware."""
    spec, net = row["spec"], row["spec"].get("net", {})
    pairs = {
        "driver": (spec.get("driver", "vhost_vdpa"), device.driver),
        "asids": (row["asids"], device.asids),
        "msis": (set(row["msis"]), set(device.msis)),
    }
    if device.driver == "vhost_vdpa":
        endpoint = {"uid": device.uid, "gid": device.gid, "mode": f"{device.mode:04o}"}
        pairs["endpoint"] = ({**ENDPOINT, **spec.get("endpoint", {})}, endpoint)
    pairs.update({what: (net[what], getattr(device, what)) for what in ("mac", "mtu", "max_vqp") if what in net})
    return [f"changed: {row['name']}: {what}: {recorded!r} is recorded, and {is_so!r} is so"
            for what, (recorded, is_so) in pairs.items() if recorded != is_so]


class Audit:
    """Of one daemon, again and again."""

    def __init__(self, state_dir, runtime_dir=None, url=None, quarantine_sec=10, foreign=()):
        self.database = pathlib.Path(state_dir) / "inventory.db"
        self.model = runtime_dir and pathlib.Path(runtime_dir) / simmodel.NAME
        self.connection = checker.Connection(url, timeout=30) if url else None
        # While they run out, nobody can say how many there are.
        self.quarantine_sec = quarantine_sec
        self.foreign = foreign
        self.devices = {}

    def ask(self):
        """The daemon's devices and what else it says; None while something is under way."""
        host, mgmtdevs = self.connection.ask("/v1/host"), self.connection.ask("/v1/mgmtdevs")["items"]
        devices, more = {}, ""
        while more is not None:
            page = self.connection.ask("/v1/devices?limit=1000" + (f"&continue={quote(more)}" if more else ""))
            devices.update((device["name"], device) for device in page["items"])
            more = page.get("continue")
        return (devices, mgmtdevs, host) if host["operations"] == 0 else None

    def look(self):
        """The damages seen at one look."""
        told = self.ask() if self.connection else None
        if self.connection and not told:
            return ["the daemon is busy"]
        inventory = Inventory(self.database)
        damages = check_inventory(inventory, self.quarantine_sec)
        if told:
            self.devices, mgmtdevs, host = told
            damages += checker.check(self.devices.values(), mgmtdevs, host) + check_told(inventory, self.devices)
            if self.quarantine_sec >= 3600:
                damages += check_quarantine(inventory, mgmtdevs, self.quarantine_sec)
        if self.model:
            damages += check_model(inventory, simmodel.Model(self.model), self.foreign)
        return damages

    def run(self, patience=30):
        """Looks until nothing is damaged, at most so many seconds: what needs no answer is recorded a little later.
        Returns the damages of the last look."""
        end = time.monotonic() + patience
        while (damages := self.look()) and time.monotonic() < end:
            time.sleep(0.01)
        return damages


def main():
    parser = argparse.ArgumentParser(description="Compares the inventory, the simulated hardware and the daemon.")
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--runtime-dir", help="where the simulated hardware is")
    parser.add_argument("--url", help="where the daemon is: unix:PATH or tcp:HOST:PORT")
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME", help="a device of someone else")
    parser.add_argument("--quarantine-sec", type=int, default=10, help="as configured")
    arguments = parser.parse_args()
    damages = Audit(**vars(arguments)).run()
    print(*damages or ["nothing is lost, and nothing has leaked"], sep="\n")
    sys.exit(1 if damages else 0)


if __name__ == "__main__":
    main()
