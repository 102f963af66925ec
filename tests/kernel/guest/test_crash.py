# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was acknowledged holds, whatever becomes of the daemon."""

import signal

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


def kill_again_and_again(end, times):
    """Sends a signal to each daemon that systemd starts, as soon as it has deleted something; or until it has nothing
    more to do."""
    for _ in range(times):
        left = len(vdpa.names())
        vdpa.wait_for(lambda: len(vdpa.names()) < left or service.is_active())
        if not service.signal_all(end):
            break


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGABRT], ids=["killed", "crashed"])
def test_death_while_it_deletes(api, end):
    """The daemon holds what it deletes, and its unbinding waits for that to be let go of. If one would keep the other from
    its end when both are killed, the device would hang in the kernel for good, and soon all of vDPA with it."""
    names = [f"d{n:02}" for n in range(40)]
    assert set(crowd.run(("put", name, net(n)) for n, name in enumerate(names)).values()) == {201}
    before = agree()
    service.stop()
    vdpa.run("sqlite3", str(service.DATABASE), "UPDATE device SET state = 'deleting' WHERE name >= 'd10'")
    with service.drop_in("[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=0\n"):
        service.systemctl("start", "--no-block", service.UNIT)
        kill_again_and_again(end, 12)
        vdpa.wait_for(lambda: service.pid() and service.is_ready())
    vdpa.run("vdpa", "dev", "show")
    assert agree() == {name: before[name] for name in names[:10]}
