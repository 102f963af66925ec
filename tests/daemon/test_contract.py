# SPDX-License-Identifier: LGPL-2.1-or-later
"""The document itself, and whether all of it is true. Runs last: it also looks back at what was served."""

import re

import jsonschema
import pytest

from contract import CONTRACT
from support import TREE, net_spec

DOCUMENT = CONTRACT.document
SCHEMAS = DOCUMENT["components"]["schemas"]


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from references(member)


def test_every_reference_leads_somewhere_and_every_component_is_used():
    used = set(references(DOCUMENT))
    for reference in used:
        assert CONTRACT.resolve({"$ref": reference})
    kinds = DOCUMENT["components"]
    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in kinds[kind]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_requests_and_answers_have_names():
    """X-Request-ID: in the document's parameters and headers; that each answer has it is seen with each answer."""
    header = {"$ref": "#/components/headers/RequestId"}
    for response in DOCUMENT["components"]["responses"].values():
        assert response.get("headers", {}).get("X-Request-ID", header) == header
    assert CONTRACT.resolve({"$ref": "#/components/responses/Problem"})["headers"]["X-Request-ID"] == header
    for path in ("/v1/devices", "/v1/devices/{name}", "/v1/mgmtdevs/{handle}", "/v1/host"):
        assert {"$ref": "#/components/parameters/RequestId"} in DOCUMENT["paths"][path]["parameters"]


def test_operations_have_different_names():
    paths = DOCUMENT["paths"].values()
    names = [item[method]["operationId"] for item in paths for method in item if method != "parameters"]
    assert len(names) == len(set(names)) == len(CONTRACT.operations())


def test_the_codes_are_those_of_the_daemon():
    """In the enumeration, and in the text that gives each its status."""
    assert set(SCHEMAS["ErrorCode"]["enum"]) == set(CONTRACT.errors)
    told = {}
    for status, codes in re.findall(r"(\d{3}) ((?:`[a-z-]+`[^`;.]*)+)", SCHEMAS["ErrorCode"]["description"]):
        told.update((code, int(status)) for code in re.findall(r"`([a-z-]+)`", codes))
    assert told == {code: status for code, (status, _) in CONTRACT.errors.items()}


def test_the_document_is_served_as_it_is(client):
    assert client.get("/openapi.yaml").expect(200).body == (TREE / "api/openapi.yaml").read_bytes()


def test_the_largest_page_is_that_of_the_host(client):
    parameters = DOCUMENT["paths"]["/v1/devices"]["get"]["parameters"]
    limit = next(parameter["schema"] for parameter in parameters if parameter["name"] == "limit")
    items = SCHEMAS["DeviceList"]["properties"]["items"]
    assert limit["maximum"] == items["maxItems"] == client.host()["limits"]["max_list"]


def defaults(name):
    properties = SCHEMAS[name]["properties"].items()
    return {key: schema["default"] for key, schema in properties if "default" in schema}


def test_the_defaults_are_those_of_the_daemon(client):
    spec = client.create("d", {"class": "block"})["spec"]
    assert spec == {"class": "block", "endpoint": defaults("SpecEndpoint"), **defaults("DeviceSpec")}


def integers():
    """Each member of a part of a spec that is an integer, with its smallest and its largest value."""
    for part, name in (("net", "SpecNet"), ("endpoint", "SpecEndpoint")):
        for key, schema in SCHEMAS[name]["properties"].items():
            if schema.get("type") == "integer":
                yield part, key, schema["minimum"], schema["maximum"]


@pytest.mark.parametrize("part, key, minimum, maximum", integers())
def test_the_ranges_are_those_of_the_daemon(client, part, key, minimum, maximum):
    for n in (minimum - 1, maximum + 1):
        client.put("d", {"class": "net", part: {key: n}}).expect(400, "invalid-request")
    for n in (minimum, maximum):
        assert client.put("d", {"class": "net", part: {key: n}}).status in (201, 422)
        client.delete("d", missing_ok="true").expect(204)


def test_the_classes_are_those_of_the_daemon(client):
    names = CONTRACT.resolve({"$ref": "#/components/schemas/Class"})["anyOf"][0]["enum"]
    numbered = [client.create(f"n{i}", {"class": str(i)})["spec"]["class"] for i in range(1, 64)]
    assert [name for name in numbered if not name.isdigit()] == names
    for name in names:
        client.create(f"c-{name}", {"class": name})


def test_the_words_are_those_of_the_daemon(client):
    for driver in SCHEMAS["BusDriver"]["enum"]:
        client.create(f"d-{driver}", {"class": "net", "driver": driver})
    for state in SCHEMAS["DeviceState"]["enum"]:
        client.get("/v1/devices", state=state).expect(200)
    assert set(SCHEMAS["DeviceState"]["enum"]) == client.host()["devices"].keys() - {"total", "foreign"}


def test_the_lengths_are_those_of_the_daemon(client):
    owner = SCHEMAS["DeviceSpec"]["properties"]["owner"]["maxLength"]
    labels = SCHEMAS["Labels"]
    key, value = labels["propertyNames"]["maxLength"], labels["additionalProperties"]["maxLength"]
    many = {f"k{i}": "" for i in range(labels["maxProperties"])}
    client.create("d", net_spec(owner="x" * owner, labels={**many, "k0": "x" * value}))
    client.create("e", net_spec(labels={"k" * key: ""}))
    client.put("f", net_spec(owner="x" * (owner + 1))).expect(400, "invalid-request")
    for labels in ({**many, "k": ""}, {"k" * (key + 1): ""}, {"k": "x" * (value + 1)}):
        client.put("f", net_spec(labels=labels)).expect(400, "invalid-request")


def test_every_operation_was_served(client):
    """Each is called here once more, so that this file does alone too; a new one needs a line here."""
    client.create("d", {"class": "net"})
    client.request("POST", "/v1/devices", {"spec": {"class": "net"}}).expect(201)
    client.patch("d", {"owner": "a"}).expect(200)
    client.request("PATCH", "/v1/mgmtdevs/sim0", {"cordoned": False}).expect(200)
    client.request("POST", "/v1/devices:batchCreate", {"devices": [{"spec": {"class": "net"}}]}).expect(200)
    client.request("POST", "/v1/devices:batchDelete", {"devices": [{"name": "x"}]}).expect(200)
    for path in ("/v1/devices", "/v1/devices/d", "/v1/devices/d/stats", "/v1/mgmtdevs", "/v1/mgmtdevs/sim0",
                 "/v1/drift", "/v1/host", "/v1/backup", "/healthz", "/readyz", "/metrics", "/openapi.yaml"):
        client.get(path).expect(200)
    client.request("POST", "/v1/drift:repair", {}).expect(200)
    client.put_pool("p", {"device": {"class": "net"}, "high": 2})
    client.wait_for_pool("p", 2)
    claimed = client.claim("p").expect(201).json
    client.request("POST", "/v1/pools/p:return", {"device": claimed["name"]}).expect(204)
    for path in ("/v1/pools", "/v1/pools/p"):
        client.get(path).expect(200)
    client.request("DELETE", "/v1/pools/p").expect(204)
    client.create("leased", {"class": "net", "lease_seconds": 600})
    client.request("POST", "/v1/devices/leased:renew", {}).expect(200)
    client.delete("d").expect(204)
    # One that has no end is in test_events.py, one that takes others' devices in test_drift_repair.py.
    elsewhere = {("GET", "/v1/events"), ("POST", "/v1/devices/{name}:adopt")}
    assert CONTRACT.served | elsewhere == CONTRACT.operations()
