# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where devices go, and what is said of where they would go or cannot go."""

import pytest

from support import net_spec, sim_section

A, B, C, D = "auxiliary/b.sf.1", "pci/0000:01:00.0", "pci/0000:01:00.1", "sim9"

CONFIG = (
    sim_section(A, classes="block", transport="subfunction", max_devices=2, numa_node=1)
    + sim_section(B, classes="net,block", max_devices=8, numa_node=0)
    + sim_section(C, classes="net", max_devices=8, numa_node=1)
    + sim_section(D, classes="net", max_devices=4)
)


@pytest.fixture
def several(make_daemon):
    return make_daemon(CONFIG).start()


def place(client, name, spec):
    return client.create(name, spec)["status"]["mgmtdev"]


def plan(client, spec, name=None):
    method, path = ("PUT", f"/v1/devices/{name}") if name else ("POST", "/v1/devices")
    return client.request(method, path, {"spec": spec}, query={"dry_run": "true"})


def reasons(candidate):
    return [(reason["code"], reason["detail"]) for reason in candidate["reasons"]]


def test_policies(several):
    """The emptiest; the fullest that has room; both in proportion, with ties broken by the number and the handle."""
    spread = net_spec(placement={"policy": "spread"})
    assert [place(several, f"s{i}", spread) for i in range(5)] == [B, C, D, B, C]
    pack = net_spec(placement={"policy": "pack"})
    assert [place(several, f"p{i}", pack) for i in range(10)] == [D] * 3 + [B] * 6 + [C]


def test_the_policy_of_the_configuration(make_daemon):
    client = make_daemon(CONFIG + "[placement]\npolicy = pack\n").start()
    assert [place(client, f"p{i}", net_spec()) for i in range(5)] == [D] * 4 + [B]
    assert place(client, "s", net_spec(placement={"policy": "spread"})) == C


def test_numa_node(several):
    for node, expected in ((0, B), (1, C)):
        assert place(several, f"n{node}", net_spec(placement={"numa_node": node})) == expected
    answer = several.put("n2", net_spec(placement={"numa_node": 2})).expect(422, "unsatisfiable")
    by_handle = {c["mgmtdev"]: reasons(c) for c in answer.json["candidates"]}
    assert by_handle == {
        A: [("unsupported-class", "cannot make net devices")],
        B: [("other-numa-node", "NUMA node: need 2, is on 0")],
        C: [("other-numa-node", "NUMA node: need 2, is on 1")],
        D: [("other-numa-node", "NUMA node: need 2, is on none")],
    }


def test_plan(several):
    """It says the same as what is done then, and does nothing."""
    before = several.revision()
    spec = {"class": "block", "placement": {"policy": "pack"}}
    answer = plan(several, spec).expect(200).json
    assert (answer["mgmtdev"], answer["exists"]) == (A, False)
    assert answer["needs"] == {"devices": 1, "asids": 1, "msis": 2, "vqs": 1}
    assert [(c["mgmtdev"], c["fits"], c.get("score")) for c in answer["candidates"]] == [
        (A, True, 500000), (B, True, 125000), (C, False, None), (D, False, None),
    ]
    assert plan(several, spec, "a").expect(200).json == answer
    assert several.devices() == {} and several.revision() == before

    assert place(several, "a", spec) == A
    answer = plan(several, spec, "a").expect(200).json
    assert (answer["exists"], answer["mgmtdev"], answer["candidates"]) == (True, A, [])
    plan(several, net_spec(), "a").expect(409, "already-exists")
    spread = plan(several, {"class": "block"}).expect(200).json
    assert [c.get("score") for c in spread["candidates"]] == [0, 875000, None, None]
    assert spread["mgmtdev"] == B


def test_plan_of_what_is_refused(several):
    """With the same words."""
    for spec in (net_spec(max_vqp=1000), {"class": "gpu"}, net_spec(mgmtdev="no/such"), net_spec(features=["RSS"])):
        answer = plan(several, spec, "a").expect(422, "unsatisfiable")
        assert several.put("a", spec).expect(422).json == answer.json
    plan(several, {"class": "nothing"}).expect(400, "invalid-request", "/spec/class")
    several.request("PUT", "/v1/devices/a", {"spec": net_spec()}, query={"dry_run": "maybe"}).expect(400)
    several.request("DELETE", "/v1/devices/a", query={"dry_run": "true"}).expect(400)


def test_refusals_in_numbers(several):
    for i in range(2):
        several.create(f"b{i}", {"class": "block", "mgmtdev": A})
    answer = several.put("b2", {"class": "block", "mgmtdev": A}).expect(409, "no-capacity", "/spec/mgmtdev")
    assert answer.json["detail"] == f"{A}: devices: need 1, free 0 of 2"
    assert answer.json["candidates"] == [
        {"mgmtdev": A, "fits": False, "reasons": [{"code": "no-capacity", "detail": "devices: need 1, free 0 of 2"}]}
    ]
    # It cannot be had there whoever else goes, and here and now neither.
    answer = several.put("b2", {"class": "block", "mgmtdev": A, "placement": {"numa_node": 0}})
    assert [code for code, _ in reasons(answer.expect(422, "unsatisfiable").json["candidates"][0])] == [
        "other-numa-node", "no-capacity",
    ]


def test_plan_at_the_limit_of_devices(make_daemon):
    client = make_daemon("[limits]\nmax_devices = 1\n").start()
    client.create("a", net_spec())
    plan(client, net_spec(), "b").expect(409, "limit-reached")
    plan(client, net_spec(), "a").expect(200)


def test_more_candidates_than_are_listed(make_daemon):
    """Those that are not listed count like the others."""
    handles = [f"sim{i:02}" for i in range(64)]
    client = make_daemon("".join(sim_section(handle, classes="net", max_devices=1) for handle in handles)).start()
    for handle in handles:
        assert place(client, f"on-{handle}", net_spec()) == handle
    answer = client.put("one-more", net_spec()).expect(409, "no-capacity").json
    assert [c["mgmtdev"] for c in answer["candidates"]] == handles
    assert answer["detail"].endswith(" more") and len(answer["detail"]) < 400
