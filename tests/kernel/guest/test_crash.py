# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was acknowledged holds, whatever becomes of the daemon."""

import pytest

import crowd
import service
import vdpa
from agreement import agree
from rest import block, net

IN_FLIGHT = 200

def spec(number):
    """Of all kinds, mostly such as are quickly made: a network interface or a disk has udev at work, too."""
    driver = "virtio_vdpa" if number % 10 == 3 else "vhost_vdpa"
    return block(driver=driver) if number % 5 == 3 else net(number, mtu=1400, driver=driver)


def restart_changes_nothing(before):
    """The second start finds what the first has left: not a byte of what is told differs."""
    service.restart()
    assert agree() == before


# How many answers the daemon has time for before it dies.
@pytest.mark.parametrize("answers", [0, 20, 100])
def test_kill_in_the_middle(api, answers):
    kept = [f"kept{n}" for n in range(IN_FLIGHT // 2)]
    made = [f"made{n}" for n in range(IN_FLIGHT // 2)]
    assert set(crowd.run(("put", name, spec(n)) for n, name in enumerate(kept)).values()) == {201}
    before = agree()

    calls = [call for n in range(IN_FLIGHT // 2) for call in (("put", made[n], spec(n)), ("delete", kept[n]))]
    first = service.pid()
    clients = crowd.Crowd(calls, clients=IN_FLIGHT).start()
    vdpa.wait_for(lambda: clients.answered() >= answers)
    service.kill()
    outcome = clients.join()
    service.wait_restarted(first)

    # agree() has each of them ready, just as it was asked for.
    after = agree()
    assert set(outcome.values()) <= {None, 201, 204}
    for name, status in outcome.items():
        assert status is None or (name in after) == (status == 201), f"{name}: {status}"
    for name in set(kept) & set(after):
        assert after[name] == before[name] or outcome[name] is None
        assert after[name]["uid"] == before[name]["uid"]
    restart_changes_nothing(after)


def test_stop_in_the_middle(api):
    """Whoever is not told no has what he asked for."""
    clients = crowd.Crowd((("put", f"d{n}", spec(n)) for n in range(100)), clients=100).start()
    vdpa.wait_for(lambda: clients.answered() >= 10)
    service.stop()
    outcome = clients.join()
    assert service.show("Result") == "success"
    service.start()
    after = agree()
    assert set(outcome.values()) <= {None, 201, 503}
    for name, status in outcome.items():
        assert status is None or (name in after) == (status == 201), f"{name}: {status}"
    restart_changes_nothing(after)


def test_host_that_has_started_anew(api):
    """Without its devices, and with another boot ID: what the inventory has of the last one is changed instead."""
    for n in range(6):
        api.create(f"d{n}", {**spec(n), "persistent": n % 2 == 0, "endpoint": {"uid": 107, "gid": 107, "mode": "0660"}})
    before = agree()
    service.stop()
    for name in before:
        vdpa.delete(name)
    boot_id = "0b7c5a6e-52a1-4f55-9d2c-6f5d1ab7ff01"
    changed = vdpa.run("sqlite3", str(service.DATABASE),
                       f"UPDATE meta SET value = '{boot_id}' WHERE key = 'boot_id'; SELECT changes();")
    assert changed.strip() == "1"

    service.start()
    after = agree()
    assert set(after) == {"d0", "d2", "d4"}
    for name, device in after.items():
        assert (device["uid"], device["spec"]) == (before[name]["uid"], before[name]["spec"])
    restart_changes_nothing(after)


def test_kill_while_it_recovers(api):
    """Five times, each time a little later."""
    names = [f"d{n}" for n in range(60)]
    assert set(crowd.run(("put", name, spec(n)) for n, name in enumerate(names)).values()) == {201}
    before = agree()
    service.stop()
    for name in names[::2]:
        vdpa.run("sqlite3", str(service.DATABASE), f"UPDATE device SET state = 'deleting' WHERE name = '{name}'")
    with service.drop_in("[Unit]\nStartLimitIntervalSec=0\n"):
        service.forgive()
        service.systemctl("start", "--no-block", service.UNIT)
        for _ in range(5):
            vdpa.wait_for(service.pid)
            service.kill()
        vdpa.wait_for(lambda: service.pid() and service.is_ready())
    after = agree()
    assert after == {name: before[name] for name in names[1::2]}
