# SPDX-License-Identifier: LGPL-2.1-or-later
"""A database that refuses a change while the daemon runs, as a full disk does.

Triggers in the database are what refuses: each says which change of which device it means."""

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import net_spec, sim_section

NET = {"class": "net"}


@contextlib.contextmanager
def refusing(daemon, change, condition, table="device"):
    """change: "INSERT" (which a change of a record is too) or "DELETE"; condition: of OLD or NEW."""
    connection = sqlite3.connect(daemon.database, timeout=30, isolation_level=None)
    connection.execute(
        f"CREATE TRIGGER refuse BEFORE {change} ON {table} WHEN {condition} "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    try:
        yield
    finally:
        connection.execute("DROP TRIGGER refuse")
        connection.close()


def assert_nothing_left(client):
    assert client.devices() == {}
    assert client.host()["operations"] == client.host()["devices"]["foreign"] == 0
    mgmtdev = client.mgmtdev("sim0")
    assert mgmtdev["foreign_devices"] == mgmtdev["budgets"]["devices"]["used"] == 0


def test_a_creation_that_is_not_recorded_is_not_begun(daemon, client):
    with refusing(daemon, "INSERT", "1"):
        for _ in range(2):
            answer = client.put("d", NET).expect(503, "store-failed")
            assert "the disk is full" in answer.json["detail"]
            assert_nothing_left(client)
    client.create("d", NET)


def test_others_do_not_suffer(daemon, client):
    """Changes that come at the same time are one transaction, unless one of them fails."""
    with refusing(daemon, "INSERT", "NEW.name LIKE 'bad%'"), ThreadPoolExecutor(32) as pool:
        names = [f"{'bad' if i % 4 == 0 else 'good'}{i}" for i in range(64)]
        answers = dict(zip(names, pool.map(lambda name: client.put(name, NET), names)))
    for name, answer in answers.items():
        if name.startswith("bad"):
            answer.expect(503, "store-failed")
        else:
            answer.expect(201)
    made = client.devices(state="ready")
    assert set(made) == {name for name in names if name.startswith("good")}
    daemon.kill9()
    # That the last of them are ready may not be on the disk yet; those get new revisions, which are higher.
    again = daemon.start().devices()
    assert all(again[name]["revision"] >= device["revision"] for name, device in made.items())
    assert again == {name: {**device, "revision": again[name]["revision"]} for name, device in made.items()}


def test_a_deletion_that_is_not_recorded_is_not_begun(daemon, client):
    device = client.create("d", NET)
    with refusing(daemon, "INSERT", "NEW.state = 'deleting'"):
        client.delete("d").expect(503, "store-failed")
        kept = client.device("d")
        assert kept == {**device, "revision": kept["revision"]}
    client = daemon.restart()
    assert client.device("d")["uid"] == device["uid"]
    client.delete("d").expect(204)
    assert_nothing_left(client)


PATCHES = [{"owner": "b"}, {"net": {"mac": "02:00:00:00:00:2b"}}, {"labels": {"x": "y"}}]


@pytest.mark.parametrize("patch", PATCHES)
def test_an_update_that_is_not_recorded_is_not_made(daemon, client, patch):
    device = client.create("d", net_spec("02:00:00:00:00:2a", owner="a"))
    with refusing(daemon, "INSERT", "1"):
        client.patch("d", patch).expect(503, "store-failed")
        kept = client.device("d")
        assert kept == {**device, "revision": kept["revision"]}
    daemon.kill9()
    client = daemon.start()
    kept = client.device("d")
    assert kept == {**device, "revision": kept["revision"]}
    assert client.patch("d", patch).expect(200).json["generation"] == 2


@pytest.mark.parametrize("end", ["kill9", "stop"])
def test_a_result_that_is_not_recorded_is_found_again(daemon, client, end):
    """That a device is ready, or gone, is seen on the host: the intents are enough."""
    client.create("old", NET)
    with refusing(daemon, "DELETE", "1", table="intent"):
        device = client.create("d", NET)
        # Goes to the disk together with what waits for company on the way there.
        client.create("e", NET)
        client.delete("e").expect(204)
    with refusing(daemon, "DELETE", "1"):
        client.delete("old").expect(204)
        client.get("/v1/devices/old").expect(404)
    getattr(daemon, end)()
    client = daemon.start()
    assert list(client.devices()) == ["d"]
    kept = client.device("d")
    assert kept == {**device, "revision": kept["revision"]}
    assert client.revision() >= kept["revision"] >= device["revision"]
    assert client.mgmtdev("sim0")["foreign_devices"] == 0
    assert daemon.restart().device("d") == kept


def test_a_name_whose_removal_is_not_recorded_can_be_used_again(daemon, client):
    client.create("d", NET)
    with refusing(daemon, "DELETE", "1"):
        client.delete("d").expect(204)
        device = client.create("d", {"class": "gpu"})
    daemon.kill9()
    kept = daemon.start().device("d")
    assert kept == {**device, "revision": kept["revision"]}


def test_a_failed_creation_whose_intent_stays(make_daemon):
    """What stays on the disk is seen too."""
    daemon = make_daemon(sim_section("sim0", fail_bind=1))
    client = daemon.start()
    with refusing(daemon, "DELETE", "1"):
        client.put("d", NET).expect(502, "backend-failed")
    failed = client.device("d")
    assert (failed["status"]["state"], failed["status"]["reason"]["code"]) == ("failed", "backend-failed")
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == 0
    daemon.kill9()
    client = daemon.start()
    assert client.device("d") == failed
    client.delete("d").expect(204)
    assert_nothing_left(client)


def test_a_refused_deletion_whose_intent_stays(daemon, client):
    """The refusal says what can come of it; the device is ready all the same."""
    device = client.create("d", NET)
    endpoint = daemon.runtime_dir / "sim-open/d"
    endpoint.mkdir()
    with refusing(daemon, "INSERT", "NEW.state = 'ready'"):
        answer = client.delete("d").expect(409, "in-use")
        assert "the disk is full" in answer.json["detail"]
    assert client.device("d")["status"] == device["status"]
    daemon.kill9()
    client = daemon.start()
    assert client.device("d")["status"] == device["status"]
    endpoint.rmdir()


def test_a_mac_address_that_was_recorded_and_not_set(daemon, client):
    """The daemon dies between the two: the next one sets it."""
    client.create("d", net_spec("02:00:00:00:00:2a"))
    daemon.stop()
    connection = sqlite3.connect(daemon.database)
    with connection:
        connection.execute("UPDATE device SET mac = replace(mac, '2a', '2b')")
    connection.close()
    device = daemon.start().device("d")
    assert device["spec"]["net"]["mac"] == device["status"]["net"]["mac"] == "02:00:00:00:00:2b"
