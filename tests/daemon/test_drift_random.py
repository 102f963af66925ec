# SPDX-License-Identifier: LGPL-2.1-or-later
"""Foreign and out-of-band changes at random: after each, the drift is exactly what a model expects that knows nothing of
the daemon, and devices that are not ours are as they were."""

import random
import re

from outside import Outside
from support import LONG, net_spec, scaled, sim_section

SEED = 20261122
N_CHANGES = 10000 if LONG else scaled(300)
N_OURS, N_THEIRS = 12, 8

MACS = [f"02:00:00:00:00:{n:02x}" for n in range(1, 5)]
HANDLES = ("sim0", "sim1")
CONFIG = "[resources]\nquarantine_sec = 0\n" + "".join(sim_section(handle) for handle in HANDLES)
ENDPOINT = {"uid": 0, "gid": 0, "mode": "0600"}


class Seen:
    """A device on the host, as the model has it."""

    def __init__(self, mgmtdev, spec):
        self.mgmtdev, self.device_class, self.driver = mgmtdev, spec["class"], spec.get("driver", "vhost_vdpa")
        self.net, self.endpoint = dict(spec.get("net", {})), dict(ENDPOINT)


class Model:
    """What is recorded, and what is there."""

    def __init__(self):
        self.ours, self.there = {}, {}

    def is_ours(self, name):
        return name in self.ours and name in self.there and self.there[name].mgmtdev == self.ours[name]["mgmtdev"]

    def changed(self, name):
        spec, seen = self.ours[name], self.there[name]
        pairs = {"class": (spec["class"], seen.device_class), "driver": (spec["driver"], seen.driver)}
        for key in ("mtu", "max_vqp", "mac"):
            if key in spec.get("net", {}) and key in seen.net:
                pairs[key] = (spec["net"][key], seen.net[key])
        if seen.driver == "vhost_vdpa":
            pairs |= {key: (ENDPOINT[key], seen.endpoint[key]) for key in ENDPOINT}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    def drift(self):
        """(name, kind, expected, observed) of each item, in order."""
        for name in sorted({*self.ours, *self.there}):
            if name in self.ours and not self.is_ours(name):
                spec = self.ours[name]
                yield name, "missing", {key: spec[key] for key in ("mgmtdev", "class", "driver")}, None
            elif name in self.ours and self.changed(name):
                differs = self.changed(name)
                yield (name, "changed", {key: pair[0] for key, pair in differs.items()},
                       {key: pair[1] for key, pair in differs.items()})
            if name in self.there and not self.is_ours(name):
                seen = self.there[name]
                yield name, "foreign", None, {"mgmtdev": seen.mgmtdev, "class": seen.device_class}

    def appear(self, name, seen):
        """One of ours that comes back is made ready: bound, and given its address and its owner."""
        self.there[name] = seen
        if self.is_ours(name):
            spec = self.ours[name]
            seen.driver, seen.endpoint = spec["driver"], dict(ENDPOINT)
            if "mac" in spec.get("net", {}) and "mac" in seen.net:
                seen.net["mac"] = spec["net"]["mac"]


def random_spec(rng):
    driver = rng.choice(("vhost_vdpa", "virtio_vdpa"))
    if rng.random() < 0.2:
        return {"class": "block", "driver": driver}
    return net_spec(rng.choice(MACS), mtu=rng.choice((1500, 9000)), max_vqp=rng.randint(1, 3), driver=driver)


def change(rng, model, outside, name):
    """One change behind the daemon's back, or none that is possible."""
    how = ("quiet",) if rng.random() < 0.3 else ()
    seen = model.there.get(name)
    if not seen:
        handle, spec = rng.choice(HANDLES), random_spec(rng)
        if name in model.ours and rng.random() < 0.7:
            handle = model.ours[name]["mgmtdev"]
            spec = {**model.ours[name], "driver": spec["driver"]} if rng.random() < 0.7 else spec
            spec = {key: value for key, value in spec.items() if key != "mgmtdev"}
        outside.add(name, handle, spec, how)
        model.appear(name, Seen(handle, spec))
        return
    action = rng.choice(("del", "mac", "bind", "unbind", "chown"))
    if action == "del":
        outside.delete(name, how)
        del model.there[name]
    elif action == "mac" and seen.device_class == "net":
        seen.net["mac"] = rng.choice(MACS)
        outside.ask(*how, "mac", name, seen.net["mac"])
    elif action in ("bind", "unbind"):
        driver = rng.choice(("vhost_vdpa", "virtio_vdpa")) if action == "bind" else None
        outside.ask(*how, action, name, *([driver] if driver else []))
        if driver != seen.driver:
            seen.driver, seen.endpoint = driver, dict(ENDPOINT)
    elif action == "chown" and seen.driver == "vhost_vdpa":
        uid, gid, mode = rng.randrange(3), rng.randrange(3), rng.choice(("0600", "0660", "0666"))
        seen.endpoint = {"uid": uid, "gid": gid, "mode": mode}
        outside.ask(*how, "chown", name, f"{uid}:{gid}:{mode}")


def without_endpoint(portrait):
    return re.sub(r"'endpoint': '\d+'", "", str(portrait))


def test_random_changes(make_daemon):
    rng = random.Random(SEED)
    daemon = make_daemon(CONFIG)
    client, model = daemon.start(), Model()
    ours = [f"d{i}" for i in range(N_OURS)]
    theirs = [f"f{i}" for i in range(N_THEIRS)]
    for name in ours:
        spec = {**random_spec(rng), "mgmtdev": rng.choice(HANDLES)}
        client.create(name, spec)
        model.ours[name] = spec
        model.there[name] = Seen(spec["mgmtdev"], spec)

    n_items = 0
    with Outside(daemon) as outside:
        for i in range(N_CHANGES):
            name = rng.choice(ours + theirs)
            change(rng, model, outside, name)
            portraits = {other: outside.show(other) for other in theirs}
            items = client.drift(refresh="true", limit=1000)
            found = [(item["name"], item["kind"], item["expected"], item["observed"]) for item in items]
            assert found == list(model.drift()), f"change {i}, of {name}"
            assert {other: outside.show(other) for other in theirs} == portraits, f"change {i}, of {name}"
            foreign = [item for item in found if item[1] == "foreign"]
            n_items += len(found)
            if i % 20 == 0:
                assert client.host()["devices"]["foreign"] == len(foreign)
            if i % 50 == 49:
                daemon.check()
                client.repair(recreate=True)
                for ours_name in ours:
                    if model.is_ours(ours_name) or ours_name not in model.there:
                        model.there[ours_name] = Seen(model.ours[ours_name]["mgmtdev"], model.ours[ours_name])
    print(f"{N_CHANGES} changes, {n_items} items of drift compared, seed {SEED}")
