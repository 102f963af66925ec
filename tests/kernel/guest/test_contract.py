# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a real host makes the daemon say is what its own document, /openapi.yaml, says that it may say."""

import jsonschema
import pytest
import yaml

import vdpa
from agreement import agree
from rest import block, net


@pytest.fixture
def check(api):
    """A function that holds an answer against one of the document's schemas."""
    document = yaml.safe_load(api.get("/openapi.yaml").expect(200).body)

    def check(answer, schema):
        jsonschema.validate(answer.json, {**document, "$ref": f"#/components/schemas/{schema}"})

    return check


def test_answers_are_as_documented(api, check, card):
    handle = vdpa.bind_pci_nic(card)
    check(api.put("vm", net(1, mtu=1400)), "Device")
    check(api.put("ct", net(2, driver="virtio_vdpa")), "Device")
    check(api.put("disk", block(driver="virtio_vdpa")), "Device")
    check(api.put("card", net(mgmtdev=handle)), "Device")
    check(api.get("/v1/devices"), "DeviceList")
    check(api.get("/v1/devices/ct/stats"), "DeviceStats")
    check(api.get("/v1/devices/vm/stats"), "Problem")
    check(api.get("/v1/mgmtdevs"), "MgmtdevList")
    check(api.get(f"/v1/mgmtdevs/{handle}"), "Mgmtdev")
    check(api.get("/v1/host"), "Host")
    check(api.put("other", net(mgmtdev=handle)), "Problem")
    check(api.patch("card", {"net": {"mac": "02:00:00:00:00:01"}}), "Problem")

    vdpa.bind_pci_nic(card, "virtio-pci")
    api.look()
    vdpa.wait_for(lambda: api.state("card") == "lost")
    check(api.get("/v1/devices/card"), "Device")
    check(api.get(f"/v1/mgmtdevs/{handle}"), "Mgmtdev")
    agree(lost={"card"}, absent={handle})
