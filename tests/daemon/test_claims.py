# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether claims.py sees each kind of damage, when it is made by hand."""

import pytest

from claims import Claims


def device(name, uid, owner=None, holder=None, **spec):
    return {"name": name, "uid": uid, "spec": {"class": "net", **({"owner": owner} if owner else {}), **spec},
            "status": {"holder": holder} if holder else {}}


def listed(*devices):
    return {found["name"]: found for found in devices}


FREE = {"holder": "pool pool u"}


@pytest.fixture
def claims():
    """pool-a is claimed, pool-b on its way back, pool-c given back; a claim was never answered."""
    known = Claims()
    for name in "abc":
        spec = known.ask(None)
        assert known.claimed(spec, 201, {"name": f"pool-{name}", "uid": name}) is None
    known.returned("c", 204)
    known.returning.add("b")
    known.ask("02:00:00:00:00:01")
    return known


A, B = device("pool-a", "a", "claim:1", lease_seconds=86400), device("pool-b", "b", "claim:2", lease_seconds=86400)
NEW = device("pool-d", "d", "claim:4", lease_seconds=86400, net={"mac": "02:00:00:00:00:01"})


@pytest.mark.parametrize("devices", [
    [A, B], [A], [A, B, NEW], [A, device("pool-b", "b2", **FREE)], [A, device("pool-c", "c2", **FREE), NEW],
    [A, B, device("other", "x")]])
def test_good(claims, devices):
    rest, lost, extra = claims.settle(listed(*devices))
    assert (lost, extra) == ([], []) and set(rest) == {found["name"] for found in devices} & {"other"}
    assert claims.settle(listed(*devices))[1:] == ([], [])


@pytest.mark.parametrize("devices, lost, extra", [
    ([B], ["pool-a, uid a"], []),
    ([device("pool-a", "a2", **FREE)], ["pool-a, uid a"], []),
    ([{**A, "status": {"holder": "pool pool u"}}], ["pool-a, uid a"], []),
    ([device("pool-a", "a", "other", lease_seconds=86400)], ["pool-a has the spec"], []),
    ([A, device("pool-c", "c", **FREE)], [], ["pool-c has uid c, which was returned"]),
    ([A, device("pool-e", "e", "claim:3")], [], ["pool-e is nobody's"]),
    ([A, device("pool-e", "e")], [], ["pool-e is nobody's"]),
    ([A, NEW, {**NEW, "name": "pool-f", "uid": "f"}], [], ["pool-f is nobody's"]),
    ([A, device("pool-d", "d", "claim:4")], ["pool-d has the spec"], []),
])
def test_damage(claims, devices, lost, extra):
    _, found_lost, found_extra = claims.settle(listed(*devices))
    for found, wanted in ((found_lost, lost), (found_extra, extra)):
        assert len(found) == len(wanted) and all(text in line for text, line in zip(wanted, found)), found


def test_claimed_twice(claims):
    for uid in "ac":
        assert "claimed twice" in claims.claimed(claims.ask(None), 201, {"name": "pool-x", "uid": uid})
