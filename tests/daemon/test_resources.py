# SPDX-License-Identifier: LGPL-2.1-or-later
"""What devices hold: each ID by one device, over creation, deletion, kill -9 and restart; freed ones rest for a while."""

import random

from support import poll, net_spec, scaled, sim_section

N_DEVICES = scaled(60)


def asids(device):
    return [entry["asid"] for entry in device["status"]["asids"]]


def msis(device):
    return [entry["entry"] for entry in device["status"]["msis"]]


def assert_unique(devices):
    """Of devices that are all on one management device and share nothing."""
    for held in (asids, msis):
        ids = [i for device in devices for i in held(device)]
        assert len(ids) == len(set(ids))


def held_by(client):
    devices = client.devices()
    assert_unique(devices.values())
    return {name: (asids(device), msis(device)) for name, device in devices.items()}


def test_what_a_device_holds(client):
    device = client.create("a", net_spec(max_vqp=4))
    status = device["status"]
    assert [entry["group"] for entry in status["asids"]] == list(range(len(status["asids"])))
    assert status["asids"][0]["kind"] == "device-mmu"
    entries = status["msis"]
    assert [entry.get("vq") for entry in entries] == [*range(len(entries) - 1), None]
    assert entries[-1]["config"] is True
    assert len(entries) == status["max_vqs"] + 1
    assert not status["msi_shared"]
    assert status["group_of_vq"] == [0] * 8 + [1]
    assert_unique([device])


def test_asked_for(client):
    spec = {"class": "block", "vqs": 5, "vq_groups": 3}
    device = client.create("a", spec)
    assert len(asids(device)) == 3
    assert len(msis(device)) == 6
    assert device["status"]["group_of_vq"] == [0, 0, 0, 1, 2]
    assert device["spec"]["vqs"] == 5
    assert client.put("a", spec).status == 200
    assert client.put("a", {**spec, "vqs": 4}).status == 409


def test_unique_over_restarts(make_daemon):
    rng = random.Random(7)
    daemon = make_daemon()
    client = daemon.start()
    expected = {}
    for turn in range(4):
        for i in range(N_DEVICES):
            name = f"d{turn}-{i}"
            spec = rng.choice([net_spec(), {"class": "block", "vqs": rng.randrange(1, 9)}, {"class": "gpu"}])
            device = client.create(name, spec)
            expected[name] = (asids(device), msis(device))
        for name in rng.sample(sorted(expected), N_DEVICES // 2):
            assert client.delete(name).status == 204
            del expected[name]
        assert held_by(client) == expected
        if turn % 2:
            daemon.kill9()
            client = daemon.start()
        else:
            client = daemon.restart()
        assert held_by(client) == expected


def test_freed_ones_rest(make_daemon):
    """Never-used ones come before those that rest, also after a kill."""
    daemon = make_daemon(sim_section("sim0", classes="block"))
    client = daemon.start()
    first = client.create("a", {"class": "block"})
    assert client.delete("a").status == 204
    second = client.create("b", {"class": "block"})
    assert_unique([first, second])
    daemon.kill9()
    client = daemon.start()
    assert held_by(client)["b"] == (asids(second), msis(second))
    third = client.create("c", {"class": "block"})
    assert_unique([first, second, third])


def test_patch_leaves_it(client):
    device = client.create("a", net_spec())
    patched = client.patch("a", {"owner": "x"}).json
    assert (asids(device), msis(device)) == (asids(patched), msis(patched))


def test_the_end_of_a_quarantine_is_a_change(make_daemon):
    """What is free again is not hidden from those who ask for changes."""
    client = make_daemon("[resources]\nquarantine_sec = 1\n").start()
    client.create("a", net_spec())
    client.delete("a").expect(204)
    answer = client.get("/v1/mgmtdevs/sim0")
    assert answer.json["budgets"]["msis"]["quarantined"] > 0

    def changed():
        return client.request("GET", "/v1/mgmtdevs/sim0", headers={"If-None-Match": answer.etag}).status == 200

    poll("free again", changed)
    assert client.mgmtdev("sim0")["budgets"]["msis"]["quarantined"] == 0
