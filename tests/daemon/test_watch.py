# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happens on the host behind the daemon's back is seen: at once where something hints at it, in time where not."""

import pytest

from outside import Outside
from support import net_spec, poll, scaled

QUIET = ("quiet",)


@pytest.fixture
def outside(daemon):
    with Outside(daemon) as other:
        yield other


def state(client, name):
    return client.device(name)["status"]["state"]


def foreign(client):
    return client.host()["devices"]["foreign"]


def look(client):
    """Makes the daemon list everything, as for a management device that it does not know."""
    client.put("look", net_spec(mgmtdev="not/there")).expect(422)


def test_device_that_goes_and_comes(client, outside):
    before = client.create("d", net_spec(driver="virtio_vdpa"))
    outside.delete("d")
    poll("lost device", lambda: state(client, "d") == "lost", 5)
    assert client.device("d")["status"]["reason"]["code"] == "device-not-found"
    outside.add("d", "sim0", net_spec(driver="virtio_vdpa"))
    poll("device", lambda: state(client, "d") == "ready", 5)
    assert client.device("d")["spec"] == before["spec"]


def test_device_that_is_bound_by_others(client, outside):
    """It is lost as long as it is bound to something else, and nobody here binds it back."""
    client.create("d", net_spec())
    outside.ask("bind", "d", "virtio_vdpa")
    poll("lost device", lambda: state(client, "d") == "lost", 5)
    reason = client.device("d")["status"]["reason"]
    assert (reason["code"], "virtio_vdpa" in reason["detail"]) == ("not-ready", True)
    look(client)
    assert outside.show("d")["driver"] == "2" and state(client, "d") == "lost"
    outside.ask("unbind", "d")
    look(client)
    assert outside.show("d")["driver"] == "0" and state(client, "d") == "lost"
    outside.ask("bind", "d", "vhost_vdpa")
    poll("ready device", lambda: state(client, "d") == "ready", 5)


def test_put_binds_it_back(client, outside):
    client.create("d", net_spec())
    outside.ask("unbind", "d")
    poll("lost device", lambda: state(client, "d") == "lost", 5)
    client.create("d", net_spec())
    assert outside.show("d")["driver"] == "1"


def test_address_that_others_set(client, outside):
    before = client.create("d", net_spec(mac="02:00:00:00:00:01"))
    outside.ask("mac", "d", "02:00:00:00:00:99")
    poll("address", lambda: client.device("d")["status"]["net"]["mac"] == "02:00:00:00:00:99", 5)
    after = client.device("d")
    assert after["spec"] == before["spec"] and after["revision"] > before["revision"]


def test_foreign_devices_take_of_the_budgets(client, outside):
    """Also the IDs that they hold: nobody else is given them."""
    used = lambda: {key: budget["used"] for key, budget in client.mgmtdev("sim0")["budgets"].items()}
    outside.add("theirs", "sim0", net_spec(max_vqp=2))
    poll("foreign device", lambda: foreign(client) == 1, 5)
    poll("what it holds", lambda: used() == {"devices": 1, "asids": 2, "msis": 6, "vqs": 5}, 5)
    before = outside.show("theirs")
    client.put("theirs", net_spec()).expect(409, "foreign-device")
    client.create("ours", net_spec())
    assert outside.show("theirs") == before
    outside.delete("theirs")
    poll("no foreign device", lambda: foreign(client) == 0, 5)
    assert used() == {"devices": 1, "asids": 2, "msis": 4, "vqs": 3}


def test_changes_that_nobody_hints_at(client, outside):
    client.create("d", net_spec())
    outside.add("theirs", "sim0", net_spec(), QUIET)
    outside.delete("d", QUIET)
    assert state(client, "d") == "ready" and foreign(client) == 0
    look(client)
    assert foreign(client) == 1
    poll("lost device", lambda: state(client, "d") == "lost", 5)
    outside.delete("theirs", QUIET)
    poll("no foreign device", lambda: look(client) or foreign(client) == 0, 5)


def test_sweep(client, outside):
    """What no listing tells is found by itself, in a little while."""
    client.create("d", net_spec(mac="02:00:00:00:00:01"))
    outside.ask(*QUIET, "mac", "d", "02:00:00:00:00:99")
    poll("address", lambda: client.device("d")["status"]["net"]["mac"] == "02:00:00:00:00:99", 30)


def test_flood_of_hints(client, outside):
    """Many hints are few looks, and keep nobody waiting."""
    for i in range(20):
        client.create(f"d{i}", net_spec())
    revision = client.revision()
    for i in range(scaled(10000)):
        outside.send("hint", f"d{i % 20}" if i % 3 else f"other{i}").answer()
        if i % 500 == 0:
            assert client.device("d0")["status"]["state"] == "ready"
    outside.delete("d7")
    poll("lost device", lambda: state(client, "d7") == "lost", 10)
    client.delete("d7").expect(204)
    outside.ask("hint", "*")
    assert len(client.devices(state="ready")) == 19 and client.revision() > revision


def test_hints_for_what_is_at_work(make_daemon):
    """A device that is being made is looked at afterwards."""
    daemon = make_daemon("[sim sim0]\nlatency_bind_usec = 300000\n")
    client = daemon.start()
    with Outside(daemon) as outside:
        client.create("d", net_spec())
        outside.ask("hint", "d")
        client.delete("d").expect(204)
        client.create("d", net_spec())
        assert state(client, "d") == "ready"
