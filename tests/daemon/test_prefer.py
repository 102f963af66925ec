# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers without the device, for clients that know all of it that they need."""

import pytest

NET = {"class": "net"}
MINIMAL = {"Prefer": "return=minimal"}
BATCH = "/v1/devices:batchCreate"


def ask(client, method, target, body, headers=MINIMAL):
    return client.request(method, target, body, {"Content-Type": "application/json", **headers})


def assert_minimal(client, answer, status, name):
    """What is left tells of the device as it is."""
    answer.expect(status)
    assert answer.body == b"" and answer.headers["Content-Length"] == "0"
    assert answer.headers["Preference-Applied"] == "return=minimal"
    assert answer.headers["ETag"] == f'"{client.device(name)["revision"]}"'


def test_one_device(client):
    answer = ask(client, "PUT", "/v1/devices/a", {"spec": {**NET, "lease_seconds": 60}})
    assert_minimal(client, answer, 201, "a")
    assert answer.headers["Location"] == "/v1/devices/a"
    assert_minimal(client, ask(client, "PUT", "/v1/devices/a", {"spec": {**NET, "lease_seconds": 60}}), 200, "a")
    assert_minimal(client, ask(client, "PATCH", "/v1/devices/a", {"spec": {"owner": "vm"}}), 200, "a")
    assert client.device("a")["spec"]["owner"] == "vm"
    assert_minimal(client, ask(client, "POST", "/v1/devices/a:renew", {}), 200, "a")


def test_name_that_was_made_up(client):
    answer = ask(client, "POST", "/v1/devices", {"spec": NET})
    name, = client.devices()
    assert_minimal(client, answer, 201, name)
    assert answer.headers["Location"] == f"/v1/devices/{name}"


def test_again(client):
    """The preference is not of the request, but of its answer."""
    first = ask(client, "PUT", "/v1/devices/a", {"spec": NET}, {**MINIMAL, "Idempotency-Key": "k"})
    again = ask(client, "PUT", "/v1/devices/a", {"spec": NET}, {"Idempotency-Key": "k"}).expect(201)
    assert again.headers["Idempotency-Replayed"] == "true" and again.json == client.device("a")
    assert first.headers["ETag"] == again.headers["ETag"]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_batch(client, accept):
    items = [{"name": "a", "spec": NET}, {"name": "b", "spec": {**NET, "mgmtdev": "no/such"}}, {"spec": NET}]
    answer = ask(client, "POST", BATCH, {"devices": items}, {**MINIMAL, "Accept": accept}).expect(200)
    assert answer.headers["Preference-Applied"] == "return=minimal"
    assert b'"device"' not in answer.body
    for name in client.devices():
        assert f'"name":"{name}","status":201'.encode() in answer.body
    assert b'"status":422' in answer.body and b'"problem"' in answer.body


@pytest.mark.parametrize("value", ["return=representation", "respond-async", "return=minimally", ""])
def test_other_preferences(client, value):
    answer = ask(client, "PUT", "/v1/devices/a", {"spec": NET}, {"Prefer": value}).expect(201)
    assert answer.json == client.device("a") and "Preference-Applied" not in answer.headers


def test_refused_and_planned(client):
    """A problem is always told, and so is what was asked for."""
    assert "needs" in ask(client, "PUT", "/v1/devices/a?dry_run=true", {"spec": NET}).expect(200).json
    answer = ask(client, "PUT", "/v1/devices/a", {"spec": {"class": "x"}}).expect(400)
    assert answer.json["code"] == "invalid-request" and "Preference-Applied" not in answer.headers
    ask(client, "PATCH", "/v1/devices/a", {"spec": {}}).expect(404)
    assert client.devices() == {}
