# SPDX-License-Identifier: LGPL-2.1-or-later
"""Leases: who does not renew loses the device, in order, once, and by a clock that nobody sets."""

import sqlite3
import time
from datetime import datetime, timedelta

import pytest

from support import poll, sim_section

NET = {"class": "net"}
CONFIG = "[leases]\ngrace_sec = 0\n"
LONG = {"class": "net", "lease_seconds": 3600}
SHORT = {"class": "net", "lease_seconds": 1, "owner": "vm:7"}


def renew(client, name, body=None, headers=None, **query):
    return client.request("POST", f"/v1/devices/{name}:renew", body, headers, query)


def remaining(client, name):
    return client.device(name)["status"]["lease"]["remaining_seconds"]


@pytest.fixture(name="leasing")
def fixture_leasing(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


def test_a_lease(client):
    device = client.create("d", LONG)
    lease = device["status"]["lease"]
    assert device["spec"]["lease_seconds"] == 3600
    assert 3500 < lease["remaining_seconds"] <= 3600
    assert (lease["expired"], lease["attempts"], lease["reason"]) == (False, 0, None)
    expires = datetime.strptime(lease["expires"], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert abs(expires - datetime.utcnow() - timedelta(hours=1)) < timedelta(minutes=2)
    assert client.put("d", LONG).expect(200).json["status"]["lease"]["expires"] == lease["expires"]
    assert client.create("e", NET)["status"]["lease"] is None


def test_renewal(daemon, client):
    device = client.create("d", LONG)
    answer = renew(client, "d").expect(200)
    assert answer.json["generation"] == 1 and answer.json["revision"] > device["revision"]
    assert answer.json["status"]["lease"]["expires"] > device["status"]["lease"]["expires"]
    longer = renew(client, "d", {"lease_seconds": 7200}).expect(200).json
    assert longer["generation"] == 2 and longer["spec"]["lease_seconds"] == 7200
    assert longer["status"]["lease"]["remaining_seconds"] > 7100
    daemon.kill9()
    client = daemon.start()
    kept = client.device("d")
    assert kept["spec"] == longer["spec"]
    assert kept["status"]["lease"]["expires"][:18] == longer["status"]["lease"]["expires"][:18]


def test_renewal_refused(client):
    device = client.create("d", NET)
    renew(client, "d").expect(409, "no-lease")
    renew(client, "none").expect(404, "device-not-found")
    renew(client, "d", {"lease_seconds": 5}, generation=2).expect(412, "precondition-failed")
    for body in ({"lease_seconds": 0}, {"lease_seconds": 31622401}, {"lease_seconds": "1"}):
        renew(client, "d", body).expect(400, "invalid-request")
    assert client.device("d") == device
    assert renew(client, "d", {"lease_seconds": 60}, uid=device["uid"]).expect(200).json["generation"] == 2


def test_renewal_with_a_key(client):
    client.create("d", LONG)
    key = {"Idempotency-Key": "k"}
    first = renew(client, "d", {"lease_seconds": 60}, key).expect(200).json
    second = renew(client, "d", {"lease_seconds": 7200}).expect(200).json
    again = renew(client, "d", {"lease_seconds": 60}, key).expect(200).json
    assert first["spec"]["lease_seconds"] == 60
    assert (again["spec"], again["revision"]) == (second["spec"], second["revision"])


def test_a_patch_changes_it(client):
    client.create("d", LONG)
    assert client.patch("d", {"lease_seconds": 60}).expect(200).json["status"]["lease"]["remaining_seconds"] <= 60
    same = client.patch("d", {"owner": "a"}).expect(200).json
    assert same["status"]["lease"]["remaining_seconds"] <= 60
    assert client.patch("d", {"lease_seconds": 0}).expect(200).json["status"]["lease"] is None
    renew(client, "d").expect(409, "no-lease")


def test_expiry(leasing):
    client = leasing.client()
    uid = client.create("d", SHORT)["uid"]
    client.create("kept", LONG)
    client.create("for-ever", NET)
    poll("end of the lease", lambda: "d" not in client.devices())
    assert sorted(client.devices()) == ["for-ever", "kept"]
    poll("line in the log", lambda: "its lease ended at" in leasing.log())
    assert "owner 'vm:7'" in leasing.log() and uid in leasing.log()
    client.delete("d", uid=uid).expect(204)


def test_expiry_in_order(leasing):
    client = leasing.client()
    for i in (3, 1, 2):
        client.create(f"d{i}", {"class": "net", "lease_seconds": i})
    poll("end of all leases", lambda: not client.devices())
    lines = [line for line in leasing.log().splitlines() if "its lease ended at" in line]
    assert [line[:2] for line in lines] == ["d1", "d2", "d3"]


def test_renewed_in_time(leasing):
    client = leasing.client()
    client.create("d", {"class": "net", "lease_seconds": 3})
    for _ in range(8):
        time.sleep(0.5)
        renew(client, "d").expect(200)
    renew(client, "d", {"lease_seconds": 1}).expect(200)
    poll("end of the lease", lambda: not client.devices())


def test_a_device_in_use_is_left_alone(leasing):
    client = leasing.client()
    client.create("d", SHORT)
    endpoint = leasing.runtime_dir / "sim-open/d"
    endpoint.mkdir()
    poll("refused deletion", lambda: client.device("d")["status"]["lease"]["attempts"] >= 2)
    device = client.device("d")
    lease = device["status"]["lease"]
    assert device["status"]["state"] == "ready"
    assert lease["expired"] and lease["remaining_seconds"] == 0 and lease["reason"]["code"] == "in-use"
    assert leasing.log().count("its lease has ended; it is deleted when that can be done") == 1

    assert renew(client, "d").expect(200).json["status"]["lease"]["attempts"] == 0
    poll("refused deletion", lambda: client.device("d")["status"]["lease"]["attempts"] >= 1)
    endpoint.rmdir()
    poll("end of the lease", lambda: not client.devices())


def test_grace(make_daemon):
    daemon = make_daemon("[leases]\ngrace_sec = 3600\n")
    client = daemon.start()
    client.create("d", SHORT)
    poll("end of the lease", lambda: client.device("d")["status"]["lease"]["expired"])
    assert not renew(client, "d", {"lease_seconds": 60}).expect(200).json["status"]["lease"]["expired"]


def set_back(daemon, **columns):
    """Changes the record of the clock while no daemon runs."""
    connection = sqlite3.connect(daemon.database)
    with connection:
        for column, change in columns.items():
            connection.execute(f"UPDATE clock SET {column} = {change}")
    connection.close()


def test_a_restart_does_not_prolong_it(leasing):
    client = leasing.client()
    expires = client.create("d", LONG)["status"]["lease"]["expires"]
    for end in (leasing.kill9, leasing.stop, leasing.kill9):
        end()
        client = leasing.start()
        assert client.device("d")["status"]["lease"]["expires"][:18] == expires[:18]


REBOOTS = [
    ("a day ago", {"wall_usec": "wall_usec - 86400000000"}, None),
    ("a minute ago", {"wall_usec": "wall_usec - 60000000"}, 3540),
    ("in the future", {"wall_usec": "wall_usec + 86400000000"}, 3600),
]


@pytest.mark.parametrize("_, change, left", REBOOTS, ids=[reboot[0] for reboot in REBOOTS])
def test_a_reboot(leasing, _, change, left):
    """It was recorded in another boot, at that time of the wall clock."""
    client = leasing.client()
    client.create("d", LONG)
    leasing.stop()
    set_back(leasing, boot_id="'x'", boot_usec="0", **change)
    client = leasing.start()
    if left is None:
        poll("end of the lease", lambda: not client.devices())
    else:
        assert left - 60 < remaining(client, "d") <= left


def test_the_grace_begins_with_the_daemon(make_daemon):
    daemon = make_daemon("[leases]\ngrace_sec = 3600\n")
    daemon.start().create("d", LONG)
    daemon.stop()
    set_back(daemon, boot_id="'x'", wall_usec="wall_usec - 864000000000")
    client = daemon.start()
    time.sleep(0.5)
    assert client.device("d")["status"]["lease"]["expired"]
    assert not renew(client, "d").expect(200).json["status"]["lease"]["expired"]


def test_a_renewal_that_is_not_recorded_is_none(daemon, client):
    device = client.create("d", LONG)
    connection = sqlite3.connect(daemon.database, isolation_level=None)
    connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON device BEGIN SELECT RAISE(ABORT, 'full'); END")
    renew(client, "d", {"lease_seconds": 60}).expect(503, "store-failed")
    now = client.device("d")
    assert (now["spec"], now["generation"]) == (device["spec"], 1)
    assert now["status"]["lease"]["expires"] == device["status"]["lease"]["expires"]
    connection.execute("DROP TRIGGER refuse")
    connection.close()
    renew(client, "d", {"lease_seconds": 60}).expect(200)


def test_many(make_daemon):
    """All end, none is tried without end, and others are served meanwhile."""
    daemon = make_daemon(CONFIG + sim_section("sim0", latency_usec=1000))
    client = daemon.start()
    for i in range(60):
        client.create(f"d{i}", {"class": "net", "lease_seconds": 1 + i % 2})
    poll("end of all leases", lambda: not client.devices(prefix="d"))
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == 0
