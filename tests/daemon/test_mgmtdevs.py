# SPDX-License-Identifier: LGPL-2.1-or-later
"""Management devices: what is told of them, and where devices go."""

import pytest

from support import net_spec, sim_section

PF, VF, SF, PLAIN = "pci/0000:01:00.0", "pci/0000:01:00.1", "auxiliary/mlx5_core.sf.4", "vdpasim_net"

CONFIG = (
    sim_section(PF, classes="net", transport="pci-pf", numa_node=1, max_devices=3)
    + sim_section(VF, classes="net,block", transport="pci-vf", max_devices=2, max_vqs=5)
    + sim_section(SF, classes="block,26", transport="subfunction", numa_node=0)
    + sim_section(PLAIN, classes="net", max_devices=4)
)

# Handle, transport, NUMA node, classes, room.
TOLD = [
    (SF, "subfunction", 0, ["block", "fs"], 1 << 20),
    (PF, "pci-pf", 1, ["net"], 3),
    (VF, "pci-vf", None, ["net", "block"], 2),
    (PLAIN, "other", None, ["net"], 4),
]


@pytest.fixture
def several(make_daemon):
    return make_daemon(CONFIG).start()


def used(client):
    mgmtdevs = client.get("/v1/mgmtdevs").expect(200).json["items"]
    return {m["handle"]: m["budgets"]["devices"]["used"] for m in mgmtdevs}


def test_what_is_told(several):
    items = several.get("/v1/mgmtdevs").expect(200).json["items"]
    told = [(m["handle"], m["transport"], m["numa_node"], m["classes"]) for m in items]
    assert told == [row[:4] for row in TOLD]
    for m, row in zip(items, TOLD):
        assert m["budgets"]["devices"]["total"] == row[4]
        assert m["present"] and m["simulated"] and m["foreign_devices"] == 0
        assert sorted(m["features"]) == sorted(m["classes"])
        assert m["max_vqs"] == (5 if m["handle"] == VF else 65)
        for handle in (m["handle"], m["handle"].replace("/", "%2F"), m["handle"].replace("/", "%2f")):
            assert several.mgmtdev(handle) == m


def test_budget_and_entity_tag_follow_the_devices(several):
    def budget():
        answer = several.get(f"/v1/mgmtdevs/{VF}").expect(200)
        assert answer.etag == f'"{answer.json["revision"]}"'
        several.request("GET", f"/v1/mgmtdevs/{VF}", headers={"If-None-Match": answer.etag}).expect(304)
        budgets = answer.json["budgets"]["devices"]
        assert (budgets["source"], budgets["enforced_by"]) == ("model", "model")
        return budgets["total"], budgets["used"], budgets["free"], answer.json["revision"]

    total, used_before, free, before = budget()
    assert (total, used_before, free) == (2, 0, 2)
    several.create("d", net_spec(mgmtdev=VF))
    total, used_then, free, then = budget()
    assert (total, used_then, free) == (2, 1, 1)
    several.delete("d").expect(204)
    total, used_after, free, after = budget()
    assert (total, used_after, free) == (2, 0, 2)
    assert before < then < after


def test_without_a_mgmtdev_the_emptiest_is_taken(several):
    """In proportion to what each has room for; among equals, the one with fewer devices, then the first handle."""
    places = [several.create(f"n{i}", {"class": "net"})["status"]["mgmtdev"] for i in range(6)]
    assert places == [PLAIN, PF, VF, PLAIN, PF, PLAIN]
    several.create("b0", {"class": "block"})
    assert several.create("n6", {"class": "net"})["status"]["mgmtdev"] == VF
    for i in range(7, 9):
        several.create(f"n{i}", {"class": "net"})
    assert used(several) == {SF: 1, PF: 3, VF: 2, PLAIN: 4}

    answer = several.put("n9", {"class": "net"}).expect(409, "no-capacity")
    for handle, total in ((PF, 3), (VF, 2), (PLAIN, 4)):
        assert f"{handle}: devices: need 1, free 0 of {total}" in answer.json["detail"]
    assert "block" not in answer.json["detail"]

    several.delete("n1").expect(204)
    freed = {handle for handle, n in used(several).items() if n in (1, 2, 3)} - {SF}
    assert several.create("n9", {"class": "net"})["status"]["mgmtdev"] in freed
    several.put("n1", {"class": "net"}).expect(409, "no-capacity")


def test_a_named_one_that_is_full(several):
    for i in range(2):
        several.create(f"d{i}", net_spec(mgmtdev=VF))
    answer = several.put("d2", net_spec(mgmtdev=VF)).expect(409, "no-capacity", "/spec/mgmtdev")
    assert f"{VF}: devices: need 1, free 0 of 2" in answer.json["detail"]
    assert used(several)[VF] == 2
    several.put("d1", net_spec(mgmtdev=VF)).expect(200)


UNSATISFIABLE = [
    (net_spec(mgmtdev="pci/0000:09:00.0"), ["/spec/mgmtdev"]),
    ({"class": "gpu", "mgmtdev": PF}, ["/spec/class"]),
    ({"class": "block", "mgmtdev": PF}, ["/spec/class"]),
    (net_spec(mgmtdev=PF, features=["RSS", "VERSION_1"]), ["/spec/features"]),
    (net_spec(mgmtdev=VF, max_vqp=3), ["/spec/net"]),
    (net_spec(mgmtdev=VF, max_vqp=3, features=["MQ", "RSS"]), ["/spec/features", "/spec/net"]),
]


@pytest.mark.parametrize("spec, pointers", UNSATISFIABLE)
def test_what_the_named_one_cannot_make(several, spec, pointers):
    answer = several.put("d", spec).expect(422, "unsatisfiable", *pointers)
    assert all(spec["mgmtdev"] in fault["detail"] for fault in answer.json["errors"])
    assert several.devices() == {}


# What is wrong with each candidate, in order of handle: SF, PF, VF, PLAIN.
NO_CANDIDATE = [
    ({"class": "gpu"}, "class class class class"),
    ({"class": "fs", "features": ["bit_50"]}, "features class class class"),
    (net_spec(features=["RSS"]), "class features features features"),
    (net_spec(max_vqp=33), "class net net net"),
]


@pytest.mark.parametrize("spec, members", NO_CANDIDATE)
def test_each_candidate_says_why_it_cannot(several, spec, members):
    faults = several.put("d", spec).expect(422, "unsatisfiable").json["errors"]
    assert [fault["pointer"] for fault in faults] == [f"/spec/{member}" for member in members.split()]
    assert all(handle in fault["detail"] for handle, fault in zip((SF, PF, VF, PLAIN), faults))
    assert several.devices() == {}


def test_unknown_handles(several):
    for handle in ("pci/0000:09:00.0", "pci", "vdpasim_ne", "vdpasim_net0", "no/such", "a%00"):
        several.get(f"/v1/mgmtdevs/{handle}").expect(404, "mgmtdev-not-found")
    for handle in (".", "..", "pci/.", "pci/..%20", "a%20b", "x" * 128, "%C3%A4", "pci/..", "%2F", "pci%2F..", "pci%2Fa/b"):
        several.get(f"/v1/mgmtdevs/{handle}").expect(400, "invalid-request", "/handle")
    for handle in ("pci/0000:01:00.0/x", "pci//x", "pci/0000:01:00.0/"):
        several.get(f"/v1/mgmtdevs/{handle}").expect(404, "not-found")


def test_handle_in_one_segment_or_two(several):
    answers = [several.get(f"/v1/mgmtdevs/{PF.replace('/', slash)}").expect(200) for slash in ("/", "%2F", "%2f")]
    assert len({answer.body for answer in answers}) == 1
    several.get(f"/v1/mgmtdevs/{PF.replace(':', '%3A')}").expect(200)
    several.get(f"/v1/devices?mgmtdev={PF.replace('/', '%2F')}").expect(200)


def test_one_that_is_pulled_out_and_put_back(make_daemon):
    """Its devices are lost with it, and are made again with it; it is listed as long as there are any."""
    daemon = make_daemon(CONFIG)
    client = daemon.start()
    device = client.create("d", net_spec(mgmtdev=PF))
    daemon.stop()

    daemon.configure(sim_section(PLAIN, classes="net"))
    client = daemon.start()
    lost = client.device("d")
    assert (lost["status"]["state"], lost["status"]["endpoint"]) == ("lost", None)
    assert lost["status"]["reason"]["code"] == "mgmtdev-not-found" and PF in lost["status"]["reason"]["detail"]
    assert (lost["uid"], lost["spec"]) == (device["uid"], device["spec"])
    assert client.mgmtdev(PF)["present"] is False
    assert [m["handle"] for m in client.get("/v1/mgmtdevs").json["items"]] == [PF, PLAIN]
    client.get("/v1/devices/d/stats").expect(409, "not-ready")
    client.patch("d", {"owner": "a"}).expect(409, "not-ready")
    client.put("d2", net_spec(mgmtdev=PF)).expect(422, "unsatisfiable", "/spec/mgmtdev")
    client.put("d", net_spec(mgmtdev=PF)).expect(422, "unsatisfiable", "/spec/mgmtdev")
    daemon.stop()

    daemon.configure(CONFIG)
    client = daemon.start()
    again = client.put("d", net_spec(mgmtdev=PF)).expect(200).json
    assert (again["uid"], again["status"]["state"]) == (device["uid"], "ready")
    assert client.mgmtdev(PF)["present"]
    daemon.stop()

    daemon.configure(sim_section(PLAIN, classes="net"))
    client = daemon.start()
    client.delete("d").expect(204)
    client.get(f"/v1/mgmtdevs/{PF}").expect(404, "mgmtdev-not-found")


def test_a_lost_device_that_was_placed_goes_elsewhere(make_daemon):
    """Nobody has asked for the management device that is gone."""
    daemon = make_daemon(sim_section(PF, classes="net"))
    client = daemon.start()
    device = client.create("d", {"class": "net"})
    daemon.stop()

    daemon.configure(sim_section(PLAIN, classes="net"))
    client = daemon.start()
    assert client.device("d")["status"]["state"] == "lost"
    again = client.put("d", {"class": "net"}).expect(201).json
    assert (again["uid"], again["status"]["mgmtdev"]) == (device["uid"], PLAIN)
    client.get(f"/v1/mgmtdevs/{PF}").expect(404, "mgmtdev-not-found")
