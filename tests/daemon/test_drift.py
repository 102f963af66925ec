# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not as it should be is told, item by item, with what was expected and what is."""

import pytest

from outside import Outside
from support import net_spec, sim_section

MAC, OTHER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"

CONFIG = sim_section("sim0") + sim_section("sim1")


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


@pytest.fixture
def outside(daemon):
    with Outside(daemon) as other:
        yield other


def drift(client, **query):
    return client.drift(refresh="true", **query)


def only(items):
    assert len(items) == 1, items
    return items[0]


def test_nothing(client):
    client.create("d", net_spec(MAC, mtu=9000, max_vqp=2, features=["MAC", "MTU", "MQ", "VERSION_1"]))
    client.create("e", {"class": "block", "vqs": 3, "vq_groups": 2, "driver": "virtio_vdpa"})
    assert client.drift() == drift(client) == []
    assert client.get("/v1/drift").json == {"items": [], "mode": "observe"}


CHANGES = {
    "address": (["mac", "d", OTHER_MAC], {"mac": MAC}, {"mac": OTHER_MAC}, ["set-mac"]),
    "driver": (["bind", "d", "virtio_vdpa"], {"driver": "vhost_vdpa"}, {"driver": "virtio_vdpa"}, ["bind"]),
    "no driver": (["unbind", "d"], {"driver": "vhost_vdpa"}, {"driver": None}, ["bind"]),
    "owner": (["chown", "d", "7:8:0660"], {"uid": 0, "gid": 0, "mode": "0600"},
              {"uid": 7, "gid": 8, "mode": "0660"}, ["publish"]),
    "mode": (["chown", "d", "0:0:0666"], {"mode": "0600"}, {"mode": "0666"}, ["publish"]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", [(), ("quiet",)], ids=["hinted", "quiet"])
def test_changed(client, outside, change, how):
    words, expected, observed, repairs = CHANGES[change]
    uid = client.create("d", net_spec(MAC, mgmtdev="sim0"))["uid"]
    client.create("other", net_spec())
    outside.ask(*how, *words)
    item = only(drift(client))
    assert item == {"kind": "changed", "name": "d", "uid": uid, "mgmtdev": "sim0", "mode": "observe",
                    "expected": expected, "observed": observed, "repairs": repairs}
    assert client.drift() == [item] and client.drift(kind="missing") == []
    assert outside.show("d") and drift(client) == [item]


def test_made_again_otherwise(client, outside):
    """What cannot be changed in place."""
    client.create("d", net_spec(MAC, mgmtdev="sim0", mtu=9000, max_vqp=2, features=["MAC", "MTU", "MQ"]))
    outside.delete("d")
    outside.add("d", "sim0", net_spec(mtu=1500, max_vqp=3, features=["MTU", "MQ", "CTRL_VQ"]))
    item = only(drift(client))
    assert item["expected"] == {"mtu": 9000, "max_vqp": 2, "features": ["MTU", "MAC", "MQ"]}
    assert item["observed"] == {"mtu": 1500, "max_vqp": 3, "features": ["MTU", "CTRL_VQ", "MQ"]}
    assert item["repairs"] == ["recreate"]


def test_made_again_of_another_class(client, outside):
    client.create("d", {"class": "block", "mgmtdev": "sim0", "vqs": 3})
    outside.delete("d")
    outside.add("d", "sim0", {"class": "fs", "vqs": 4})
    item = only(drift(client))
    assert (item["expected"], item["observed"]) == ({"class": "block", "vqs": 3}, {"class": "fs", "vqs": 4})


def test_missing_and_foreign(client, outside):
    """Ours is gone, and another of its name is elsewhere."""
    uid = client.create("d", net_spec(mgmtdev="sim0"))["uid"]
    outside.delete("d")
    outside.add("d", "sim1", {"class": "block"})
    missing, foreign = drift(client)
    assert missing == {"kind": "missing", "name": "d", "uid": uid, "mgmtdev": "sim0", "mode": "observe",
                       "expected": {"mgmtdev": "sim0", "class": "net", "driver": "vhost_vdpa"}, "observed": None,
                       "repairs": ["create"]}
    assert foreign == {"kind": "foreign", "name": "d", "uid": None, "mgmtdev": "sim1", "mode": None, "expected": None,
                       "observed": {"mgmtdev": "sim1", "class": "block"}, "repairs": []}
    assert [item["kind"] for item in client.drift(kind="foreign")] == ["foreign"]
    assert [item["kind"] for item in client.drift(mgmtdev="sim0")] == ["missing"]
    assert [item["kind"] for item in client.drift(kind=["foreign", "missing"])] == ["missing", "foreign"]
    client.delete("d").expect(204)
    assert [item["kind"] for item in drift(client)] == ["foreign"]
    outside.delete("d")
    assert drift(client) == []


def test_mode(client, outside):
    """Of the device, else of the configuration."""
    client.create("d", net_spec(drift="observe"))
    outside.delete("d")
    assert only(drift(client))["mode"] == "observe"
    assert client.device("d")["spec"]["drift"] == "observe"


def test_pages(client, outside):
    for i in range(30):
        client.create(f"d{i:02}", net_spec(mgmtdev="sim0"))
    for i in range(0, 30, 3):
        outside.delete(f"d{i:02}")
        outside.add(f"d{i:02}", "sim1", net_spec())
    items = drift(client)
    assert [(item["name"], item["kind"]) for item in items] == [
        (f"d{i:02}", kind) for i in range(0, 30, 3) for kind in ("missing", "foreign")]
    for limit in (1, 2, 7, 1000):
        assert client.drift(limit=limit) == items
    assert client.drift(limit=3, kind="foreign") == items[1::2]


def test_wrong_queries(client):
    for query, pointer in (({"kind": "x"}, "kind"), ({"limit": 0}, "limit"), ({"limit": 1001}, "limit"),
                           ({"continue": "x"}, "continue"), ({"continue": "6"}, "continue"), ({"continue": ""}, "continue"),
                           ({"continue": "00"}, "continue"), ({"continue": "61" * 256}, "continue"),
                           ({"mgmtdev": "a/b/c"}, "mgmtdev"), ({"refresh": "x"}, "refresh"), ({"other": 1}, "other")):
        client.get("/v1/drift", **query).expect(400, "invalid-request", f"/query/{pointer}")


def test_restart_sets_right(daemon, client, outside):
    """A start cannot tell what others have done from what it has not finished before."""
    client.create("d", net_spec(MAC))
    outside.ask("mac", "d", OTHER_MAC)
    outside.ask("chown", "d", "7:8:0660")
    assert len(drift(client)) == 1
    client = daemon.restart()
    assert drift(client) == [] and client.device("d")["status"]["net"]["mac"] == MAC


def test_many_refreshes(client, outside):
    """They wait for each other and each sees what was so when it came."""
    for i in range(50):
        client.create(f"d{i}", net_spec(MAC))
    for i in range(20):
        outside.ask("quiet", "mac", f"d{i}", OTHER_MAC)
        assert len(drift(client)) == i + 1
