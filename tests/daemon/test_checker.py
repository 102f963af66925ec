# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checker finds each kind of damage, in documents that were made up for it, and nothing where nothing is wrong."""

import copy
import subprocess
import sys

import pytest

import checker
from support import net_spec

PF, TWIN, MMU = "pci/0000:01:00.0", "auxiliary/x.sf.1", "sim0"
SPACE = "pasid:0000:01:00.0"


def budget(total, used, reserved=0, quarantined=0, foreign=0, **more):
    free = None if total is None else total - used - reserved - quarantined
    numbers = {"total": total, "used": used, "reserved": reserved, "quarantined": quarantined, "free": free,
               "foreign": foreign}
    return {**numbers, "source": "model", "enforced_by": "model", **more}


def mgmtdev(handle, kind, space, devices, asids, msis, vqs, foreign=0):
    budgets = {"devices": devices, "asids": asids, "msis": msis, "vqs": vqs}
    return {
        "handle": handle, "revision": 3, "foreign_devices": foreign, "asid_kind": kind, "asid_space": space,
        "budgets": budgets,
    }


def device(name, handle, kind, asids, entries, state="ready"):
    """One virtqueue for each entry but the last, which is for configuration changes."""
    rows = [{"vq": vq, "entry": entry} for vq, entry in enumerate(entries[:-1])]
    rows += [{"config": True, "entry": entry} for entry in entries[-1:]]
    status = {
        "state": state, "mgmtdev": handle, "msis": rows, "msi_shared": len(set(entries)) < len(entries),
        "asids": [{"group": group, "asid": asid, "kind": kind} for group, asid in enumerate(asids)],
    }
    return {"name": name, "uid": f"uid-{name}", "status": status}


class World:
    """Two management devices behind one PCI function, and one on its own; all is well with them."""

    def __init__(self):
        # Devices hold 5 PASIDs of 64 and 0 is reserved; 2 are not yet to be used again.
        asids = {"total": 64, "used": 5, "reserved": 1, "quarantined": 2, "reserved_ids": "0"}
        self.mgmtdevs = [
            mgmtdev(PF, "pasid", SPACE, budget(None, 3, foreign=1), budget(**asids), budget(16, 7, reserved=2,
                    reserved_ids="0,15"), budget(100, 5), foreign=1),
            mgmtdev(TWIN, "pasid", SPACE, budget(4, 1), budget(**asids), budget(None, 2, quarantined=9),
                    budget(None, 1)),
            mgmtdev(MMU, "device-mmu", MMU, budget(2, 1), budget(3, 1), budget(5, 2), budget(3, 3)),
        ]
        self.devices = [
            device("a", PF, "pasid", [1, 2], [1, 2, 3, 4]),
            device("b", PF, "pasid", [3, 9], [5, 6, 14], "creating"),
            device("c", TWIN, "pasid", [4], [1, 2], "lost"),
            # As many entries as there were.
            device("d", MMU, "device-mmu", [1], [0, 0, 0, 1], "deleting"),
            device("e", MMU, "device-mmu", [], [], "failed"),
        ]
        states = {"reserved": 0, "creating": 1, "ready": 1, "deleting": 1, "failed": 1, "lost": 1}
        self.host = {"devices": {"total": 5, **states, "foreign": 1}}

    def status(self, name):
        return next(device for device in self.devices if device["name"] == name)["status"]

    def budget(self, handle, resource):
        return next(m for m in self.mgmtdevs if m["handle"] == handle)["budgets"][resource]

    def damages(self):
        return checker.check(self.devices, self.mgmtdevs, self.host)


def test_nothing_is_found_where_nothing_is_wrong():
    assert World().damages() == []


def test_a_failed_device_that_is_still_there_may_hold():
    world = World()
    world.status("c")["state"] = "failed"
    world.host["devices"].update(failed=2, lost=0)
    assert world.damages() == []


def test_what_was_held_before_it_was_reserved():
    """It stays with its holder, and counts as used."""
    world = World()
    world.budget(PF, "msis").update(reserved_ids="0-1,15")
    assert world.damages() == []


def set_asid(name, index, **fields):
    return lambda world: world.status(name)["asids"][index].update(fields)


def set_msi(name, index, **fields):
    return lambda world: world.status(name)["msis"][index].update(fields)


def set_status(name, **fields):
    return lambda world: world.status(name).update(fields)


def set_budget(handle, resource, **fields):
    return lambda world: world.budget(handle, resource).update(fields)


def set_twins(**fields):
    def change(world):
        for handle in (PF, TWIN):
            world.budget(handle, "asids").update(fields)
    return change


def append(world):
    world.devices.append(copy.deepcopy(world.devices[-1]))


# What is done to the world, and what is said of it.
DAMAGES = {
    "asid of another on the same one": (set_asid("b", 0, asid=2), [f"space {SPACE}: asids: 2 is held by a and by b"]),
    "asid of another on its twin": (set_asid("c", 0, asid=2), [f"space {SPACE}: asids: 2 is held by a and by c"]),
    "asid of two groups": (set_asid("a", 1, asid=1), ["a: has one ASID for two groups: [1, 1]"]),
    "asid reserved": (set_asid("a", 0, asid=0), [f"space {SPACE}: asids: a holds 0, which is reserved"]),
    "asid beyond": (set_asid("a", 0, asid=64), [f"space {SPACE}: asids: a holds 64, and there are 64"]),
    "asid negative": (set_asid("a", 0, asid=-1), [f"space {SPACE}: asids: a holds -1"]),
    "asid of another kind": (set_asid("d", 0, kind="pasid"), ["d: has a pasid, and sim0 has device-mmu"]),
    "groups with a gap": (set_asid("a", 1, group=2), ["a: has ASIDs of the groups [0, 2]"]),
    "entry of another": (set_msi("b", 0, entry=4), [f"{PF}: msis: 4 is held by a and by b"]),
    "entry reserved": (set_msi("b", 0, entry=15), [f"{PF}: msis: b holds 15, which is reserved"]),
    "entry beyond": (set_msi("b", 0, entry=16), [f"{PF}: msis: b holds 16, and there are 16"]),
    "entries shared in secret": (set_msi("a", 0, entry=2), ["a: has 3 MSI entries for 4 interrupts"]),
    "entries said to be shared": (set_status("a", msi_shared=True), ["a: has 4 MSI entries for 4 interrupts"]),
    "vqs with a gap": (set_msi("a", 2, vq=3), ["a: has MSI entries of the virtqueues [0, 1, 3]"]),
    "no entry for configuration": (lambda world: world.status("a")["msis"].pop(),
                                   ["a: does not have one MSI entry for configuration changes"]),
    "used by nobody": (set_twins(used=6, free=55), [f"space {SPACE}: asids: 6 are used, and devices hold 5"]),
    "entry used by nobody": (set_budget(PF, "msis", used=8, free=6), [f"{PF}: msis: 8 are used, and devices hold 7"]),
    "vqs used by nobody": (set_budget(PF, "vqs", used=6, free=94), [f"{PF}: vqs: 6 are used, and devices have 5"]),
    "foreign devices hold what is not used": (set_budget(MMU, "msis", foreign=3), [f"{MMU}: msis: 3 of 2 are used by"]),
    "foreign devices miscounted": (set_budget(PF, "devices", foreign=0), [f"{PF}: devices: 3 are used, and there are 3"]),
    "foreign entries miscounted": (set_budget(PF, "msis", foreign=1), [f"{PF}: msis: 7 are used, and devices hold 8, 1"]),
    "foreign vqs miscounted": (set_budget(PF, "vqs", foreign=2), [f"{PF}: vqs: 5 are used, and devices have 7"]),
    "devices miscounted": (set_budget(PF, "devices", used=2), [f"{PF}: devices: 2 are used, and there are 3, 1 of"]),
    "one lost": (set_budget(PF, "msis", free=6), [f"{PF}: msis: reserved 2, used 7, quarantined 0, free 6 do not"]),
    "one too many": (set_twins(quarantined=3), [f"{PF}: asids: reserved 1, used 5, quarantined 3, free 56 do not"]),
    "free is negative": (set_budget(MMU, "vqs", total=2, free=-1), [f"{MMU}: vqs: reserved 0, used 3, quarantined 0, "
                                                                    "free -1 do not"]),
    "a count is negative": (set_budget(MMU, "vqs", reserved=-1, free=1), [f"{MMU}: vqs: counts are [-1, 3, 0]"]),
    "free of nothing known": (set_budget(TWIN, "vqs", free=1), [f"{TWIN}: vqs: total is None, free is 1"]),
    "more named as reserved": (set_budget(PF, "msis", reserved=1, used=8, reserved_ids="0-1,15"), [f"{PF}: msis: 3 IDs are named as reserved, 1 of "
                               "them are held, and 1 are"]),
    "no such source": (set_budget(PF, "msis", source="rumour"), [f"{PF}: msis: source rumour, enforced by model"]),
    "twins disagree": (set_budget(TWIN, "asids", used=4, free=57), [f"space {SPACE}: {TWIN} and {PF}: used of asids"]),
    "holds nothing": (set_status("d", asids=[], msis=[], msi_shared=False), ["d: is deleting and holds nothing"]),
    "on what is not there": (set_status("d", mgmtdev="gone"), ["d: is on gone, which is not there"]),
    "no such state": (set_status("d", state="odd"), ["d: is in the state odd"]),
    "the device is gone": (lambda world: world.devices.pop(0), [f"space {SPACE}: asids: 5 are used, and devices hold 3"]),
    "a name twice": (append, ["e: e is there twice", "e: uid-e is there twice"]),
    "a handle twice": (lambda world: world.mgmtdevs.append(world.mgmtdevs[0]), [f"{PF}: is listed twice"]),
    "states miscounted": (lambda world: world.host["devices"].update(ready=2), ["host: says {"]),
    "foreign miscounted": (lambda world: world.host["devices"].update(foreign=0), ["host: says {"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found(damage):
    change, expected = DAMAGES[damage]
    world = World()
    change(world)
    damages = world.damages()
    assert damages
    for text in expected:
        assert any(found.startswith(text) for found in damages), damages


def test_as_a_program(daemon):
    client = daemon.client()
    client.create("a", net_spec())
    program = [sys.executable, "-B", checker.__file__]
    done = subprocess.run([*program, "--url", f"unix:{daemon.socket}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout == "1 devices: nothing is held twice, and every sum is right\n"

    done = subprocess.run([*program, "--url", "unix:/nonexistent"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "checker: " in done.stderr and "Traceback" not in done.stderr
