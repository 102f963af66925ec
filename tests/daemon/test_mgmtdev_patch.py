# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator says of a management device."""

import pytest

from ctl import PROGRAM, USAGE, Ctl
from support import net_spec, sim_section

A, B = "pci/0000:01:00.0", "sim1"

CONFIG = (
    "[resources]\nquarantine_sec = 0\n"
    + sim_section(A, classes="net,block", max_devices=4, msis=40)
    + sim_section(B, classes="net", max_devices=8)
)


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


@pytest.fixture
def client(daemon):
    return daemon.client()


def patch(client, handle, body, **headers):
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.request("PATCH", f"/v1/mgmtdevs/{handle}", body, headers)


def test_cordon(daemon, client):
    kept = client.create("kept", net_spec(mgmtdev=A))
    before = client.mgmtdev(A)
    answer = patch(client, A, {"cordoned": True}).expect(200)
    assert answer.json == client.mgmtdev(A) and answer.etag == f'"{answer.json["revision"]}"'
    assert answer.json["cordoned"] and answer.json["revision"] > before["revision"]

    for name, spec in (("d", net_spec()), ("on-a", net_spec(mgmtdev=A))):
        answer = client.put(name, spec)
        if "mgmtdev" in spec:
            reasons = answer.expect(409, "no-capacity", "/spec/mgmtdev").json["candidates"][0]["reasons"]
            assert reasons == [{"code": "cordoned", "detail": "is cordoned"}]
        else:
            assert answer.expect(201).json["status"]["mgmtdev"] == B
    assert client.device("kept") == kept

    # It outlives the daemon, however that ends.
    daemon.kill9()
    client = daemon.start()
    assert client.mgmtdev(A)["cordoned"]
    assert not patch(client, A, {"cordoned": None}).expect(200).json["cordoned"]
    client.create("e", net_spec(mgmtdev=A))


def test_labels(daemon, client):
    patch(client, A, {"labels": {"rack": "a", "row": "1"}}).expect(200)
    patch(client, B, {"labels": {"rack": "b"}}).expect(200)
    for rack, handle in (("a", A), ("b", B)):
        assert client.create(rack, net_spec(placement={"labels": {"rack": rack}}))["status"]["mgmtdev"] == handle
    candidates = client.put("c", net_spec(placement={"labels": {"rack": "c"}})).expect(422).json["candidates"]
    assert [c["reasons"] for c in candidates] == [
        [{"code": "other-labels", "detail": f'label rack: need "c", is "{rack}"'}] for rack in "ab"
    ]
    assert patch(client, A, {"labels": {"rack": None, "x": "y"}}).expect(200).json["labels"] == {"row": "1", "x": "y"}
    client = daemon.restart()
    assert client.mgmtdev(A)["labels"] == {"row": "1", "x": "y"}
    assert patch(client, A, {"labels": None}).expect(200).json["labels"] == {}


def test_budgets(daemon, client):
    for i in range(2):
        client.create(f"d{i}", net_spec(mgmtdev=A))
    body = {"budgets": {"devices": {"total": 3, "reserved": 1}, "msis": {"total": 20, "reserved_ids": "0-3,19"}}}
    budgets = patch(client, A, body).expect(200).json["budgets"]
    assert budgets["devices"] == {
        "total": 3, "reserved": 1, "used": 2, "quarantined": 0, "foreign": 0, "free": 0, "source": "config",
        "enforced_by": "model",
    }
    assert (budgets["msis"]["total"], budgets["msis"]["source"]) == (20, "config")
    # Those that are held stay where they are, and are reserved when they are free.
    assert budgets["msis"]["reserved_ids"] == "0-3,19"
    answer = client.put("d2", net_spec(mgmtdev=A))
    assert answer.json["detail"].startswith(f"{A}: devices: need 1, free 0 of 3")

    revision = client.mgmtdev(A)["revision"]
    answer = patch(client, A, {"budgets": {"devices": {"total": 1}}}).expect(409, "no-capacity")
    assert "2 are in use" in answer.json["detail"]
    patch(client, A, {"budgets": {"devices": {"total": 5}}}).expect(400, "invalid-request", "/budgets/devices/total")
    patch(client, A, {"cordoned": True}, If_Match=f'"{revision - 1}"').expect(412, "precondition-failed")
    assert client.mgmtdev(A)["revision"] == revision
    patch(client, A, {"budgets": {"devices": None}}, If_Match=f'"{revision}"').expect(200)
    client = daemon.restart()
    budgets = client.mgmtdev(A)["budgets"]
    assert (budgets["devices"]["total"], budgets["msis"]["total"]) == (4, 20)


BAD = [
    ({"cordoned": 1}, "/cordoned"),
    ({"budgets": {"gold": {}}}, "/budgets/gold"),
    ({"budgets": {"msis": {"reserved_ids": "9-1"}}}, "/budgets/msis/reserved_ids"),
    ({"labels": {"a": 1}}, "/labels/a"),
    ({"transport": "other"}, "/transport"),
]


@pytest.mark.parametrize("body, pointer", BAD)
def test_bad(client, body, pointer):
    before = client.mgmtdev(A)
    patch(client, A, body).expect(400, "invalid-request", pointer)
    assert client.mgmtdev(A) == before


def test_unknown(client):
    patch(client, "no/such", {"cordoned": True}).expect(404, "mgmtdev-not-found")
    patch(client, "pci/..", {"cordoned": True}).expect(400, "invalid-request", "/handle")


@pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")
def test_ctl(daemon, client):
    ctl = Ctl(daemon.socket)
    assert ctl("mgmtdev", "cordon", A) == f"{A}: cordoned\n"
    assert client.mgmtdev(A)["cordoned"]
    assert "(cordoned)" in ctl("capacity")
    assert ctl("mgmtdev", "uncordon", A) == f"{A}: not cordoned\n"
    ctl(
        "mgmtdev", "set", A, "--label=rack=a", "--total=devices=3", "--reserve=devices=1", "--reserve", "msis=0-3,9",
        "--total=asids=100",
    )
    mgmtdev = client.mgmtdev(A)
    budgets = mgmtdev["budgets"]
    assert mgmtdev["labels"] == {"rack": "a"}
    assert [budgets["devices"][key] for key in ("total", "reserved")] == [3, 1]
    assert (budgets["msis"]["reserved_ids"], budgets["asids"]["total"]) == ("0-3,9", 100)
    ctl("mgmtdev", "set", A, "--no-label=rack", "--total=devices=default", "--reserve=devices=default")
    mgmtdev = client.mgmtdev(A)
    assert (mgmtdev["labels"], mgmtdev["budgets"]["devices"]["total"]) == ({}, 4)
    assert ctl.run("mgmtdev", "set", A).returncode == USAGE
    assert ctl.run("mgmtdev", "set", A, "--total=devices").returncode == USAGE
    assert ctl.run("mgmtdev", "set", A, "--total=devices=many").returncode == USAGE
    assert "must be 4 at the most" in ctl.run("mgmtdev", "set", A, "--total=devices=99").stderr
