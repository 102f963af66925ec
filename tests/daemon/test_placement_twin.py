# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices come and go on 16 management devices of different kinds. A request is refused only if an exhaustive search
of what REST says finds no place either, and goes where that search would put it."""

import random
from fractions import Fraction

import checker
from support import sim_section

RESOURCES = ("devices", "asids", "msis", "vqs")
CLASS_VQS = {"block": 1, "gpu": 2}


def kinds(rng):
    """The sections of the configuration."""
    text = "[resources]\nquarantine_sec = 0\n"
    for i in range(16):
        keys = {
            "classes": ["net", "block", "net,block,gpu", "gpu,net"][i % 4],
            "max_devices": rng.choice([1, 5, 12, 0]),
            "msis": rng.choice([0, 20, 40, 61]),
            "vqs": rng.choice([0, 30, 55]),
            "asids": rng.choice([0, 9, 17, 30]),
            "max_vqs": rng.choice([9, 65]),
        }
        if i % 3 == 0:
            keys["numa_node"] = i % 2
        if i < 8:
            # Four behind one function each, which share its PASIDs.
            keys.update(asid_kind="pasid", pci_function=f"0000:0{i // 4}:00.0", asids=24, reserved_asids="0-2")
        text += sim_section(f"pci/0000:0{i // 4}:00.{i % 4}", **keys)
    return text


def any_spec(rng):
    kind = rng.choice(["net", "net", "block", "gpu"])
    spec = {"class": kind}
    if kind == "net":
        if rng.random() < 0.7:
            spec["net"] = {"max_vqp": rng.randint(1, 6)}
    elif rng.random() < 0.5:
        spec["vqs"] = rng.randint(1, 9)
    if rng.random() < 0.2:
        spec["vq_groups"] = rng.randint(1, 4)
    if rng.random() < 0.2:
        spec["msi_policy"] = "shared"
    placement = {}
    if rng.random() < 0.6:
        placement["policy"] = rng.choice(["spread", "pack"])
    if rng.random() < 0.2:
        placement["numa_node"] = rng.randint(0, 1)
    return {**spec, **({"placement": placement} if placement else {})}


def needs(spec, mgmtdev):
    if spec["class"] == "net":
        has_control = "CTRL_VQ" in mgmtdev["features"]["net"]
        vqs = 2 * spec.get("net", {}).get("max_vqp", 1) + has_control
        groups = 1 + has_control
    else:
        vqs, groups = spec.get("vqs", CLASS_VQS[spec["class"]]), 1
    return {"devices": 1, "vqs": vqs, "msis": vqs + 1, "asids": spec.get("vq_groups", groups)}


def fullness(spec, mgmtdev):
    """How full the scarcest resource would be; None: it does not fit."""
    wanted = spec.get("placement", {}).get("numa_node", mgmtdev["numa_node"])
    if spec["class"] not in mgmtdev["classes"] or wanted != mgmtdev["numa_node"]:
        return None
    need = needs(spec, mgmtdev)
    most = Fraction(0)
    pairs = spec.get("net", {}).get("max_vqp", 1)
    least_vqs = need["vqs"] if spec["class"] != "net" else 2 if pairs == 1 else 2 * pairs + 1
    if least_vqs > mgmtdev["max_vqs"]:
        return None
    for resource in RESOURCES:
        budget = mgmtdev["budgets"][resource]
        if budget["total"] is None:
            continue
        least = 1 if resource == "msis" and spec.get("msi_policy") == "shared" else need[resource]
        if budget["free"] < least:
            return None
        taken = budget["total"] - budget["free"] + min(need[resource], budget["free"])
        most = max(most, Fraction(taken, budget["total"]))
    return most


def best(spec, mgmtdevs):
    """Where the device has to go; None: nowhere."""
    is_pack = spec.get("placement", {}).get("policy") == "pack"
    sign = -1 if is_pack else 1
    fitting = [(fullness(spec, m), m) for m in mgmtdevs]
    ranked = [
        # Scores are whole millionths.
        (sign * int(full * 1000000), sign * m["budgets"]["devices"]["used"], m["handle"])
        for full, m in fitting
        if full is not None
    ]
    return min(ranked)[2] if ranked else None


def test_against_an_exhaustive_search(make_daemon):
    rng = random.Random(7)
    daemon = make_daemon(kinds(rng))
    client = daemon.start()
    names, n_refused, n_made = [], 0, 0
    n = 300
    for i in range(n):
        if names and rng.random() < 0.3:
            client.delete(names.pop(rng.randrange(len(names)))).expect(204)
            continue
        spec = any_spec(rng)
        place = best(spec, client.get("/v1/mgmtdevs").expect(200).json["items"])
        answer = client.put(f"d{i}", spec)
        if place is None:
            assert answer.status in (409, 422), answer.json
            assert len(answer.json["candidates"]) == 16
            assert not any(candidate["fits"] for candidate in answer.json["candidates"])
            n_refused += 1
        else:
            assert answer.expect(201).json["status"]["mgmtdev"] == place
            names.append(f"d{i}")
            n_made += 1
    assert n_made > n // 10 and n_refused > n // 50
    assert checker.check_connection(checker.Connection(f"unix:{daemon.socket}")) == len(names)
    assert all(m["faults"]["total"] == 0 for m in client.get("/v1/mgmtdevs").json["items"])
