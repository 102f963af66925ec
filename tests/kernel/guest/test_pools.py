# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pools on the real kernel: what a claim hands out, and what is left of its user when it is given back."""

import json
import os
import stat

import pytest

import vdpa
import vhost
from agreement import agree


@pytest.fixture
def pool(api):
    """Four free net devices, with low marks, so that claims and returns find what they left."""
    put_pool(api, "web", {"class": "net", "net": {"mtu": 1400}}, low=1, high=4)
    wait_for(api, 4)
    yield
    remove_pool(api, "web")


def ask(api, method, path, body=None, status=200):
    return api.ask(method, path, json.dumps(body) if body else None).expect(status)


def put_pool(api, name, device, **marks):
    ask(api, "PUT", f"/v1/pools/{name}", {"spec": {"device": device, **marks}}, 201)


def remove_pool(api, name):
    ask(api, "DELETE", f"/v1/pools/{name}", status=204)
    vdpa.wait_for(lambda: not free(api))


def claim(api, pool, **spec):
    return ask(api, "POST", f"/v1/pools/{pool}:claim", {"spec": spec}, 201).json


def give_back(api, pool, name, status=204, **more):
    return ask(api, "POST", f"/v1/pools/{pool}:return", {"device": name, **more}, status)


def free(api):
    return {name: device for name, device in api.devices().items()
            if device["status"].get("holder", "").startswith("pool ")}


def wait_for(api, n):
    vdpa.wait_for(lambda: len(free(api)) == n and {d["status"]["state"] for d in free(api).values()} == {"ready"})


def test_claim_and_return(api, pool):
    agree()
    device = claim(api, "web", owner="vm:1", endpoint={"uid": 107, "gid": 107, "mode": "0660"})
    name, endpoint = device["name"], device["status"]["endpoint"]
    node = os.stat(endpoint)
    assert (node.st_uid, node.st_gid, stat.S_IMODE(node.st_mode)) == (107, 107, 0o660)
    assert str(vdpa.vhost_node(name)) == endpoint
    agree()

    # While it has a user it cannot be given back; nothing of it changes.
    with vhost.opened(endpoint):
        assert give_back(api, "web", name, 409).json["code"] == "in-use"
    assert api.device(name)["uid"] == device["uid"]

    give_back(api, "web", name, uid=device["uid"])
    again = api.device(name)
    assert again["uid"] != device["uid"] and again["status"]["state"] == "ready"
    node = os.stat(again["status"]["endpoint"])
    assert (node.st_uid, node.st_gid, stat.S_IMODE(node.st_mode)) == (0, 0, 0o600)
    assert len(free(api)) == 4
    agree()


def test_mac(api, pool):
    """The kernel's simulator sets addresses in place; the pool says what it has seen."""
    device = claim(api, "web", net={"mac": "02:00:00:00:00:2a"})
    assert ask(api, "GET", "/v1/pools/web").json["status"]["sets_mac"] is True
    assert vdpa.config(device["name"])["mac"] == device["status"]["net"]["mac"] == "02:00:00:00:00:2a"
    agree()
    give_back(api, "web", device["name"])
    left = vdpa.config(device["name"])["mac"]
    assert left != "02:00:00:00:00:2a" and left == api.device(device["name"])["status"]["net"]["mac"]
    agree()


def test_return_of_an_interface(api):
    """An interface for a container: given back, another one comes in its place, with the same device under it."""
    put_pool(api, "cni", {"class": "net", "driver": "virtio_vdpa"}, low=1, high=2)
    wait_for(api, 2)
    device = claim(api, "cni", owner="pod:1")
    before = vdpa.netdev(device["name"])
    assert device["status"]["endpoint"] == before
    vdpa.run("ip", "link", "set", before, "mtu", "1300")
    give_back(api, "cni", device["name"])
    again = api.device(device["name"])
    assert again["status"]["endpoint"] == vdpa.netdev(device["name"])
    assert "mtu 1500" in vdpa.run("ip", "link", "show", again["status"]["endpoint"])
    remove_pool(api, "cni")
    agree()


def test_one_that_was_made_by_hand(api, pool):
    """A device like those of the pool can be given to it."""
    api.create("mine", {"class": "net", "net": {"mtu": 1400}, "owner": "me"})
    claim(api, "web", owner="vm:1")
    give_back(api, "web", "mine")
    assert "mine" in free(api)
