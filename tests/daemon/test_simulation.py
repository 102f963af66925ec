# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulated hardware does not believe the daemon: what it is told wrongly is a fault, and there is none else."""

import random
import sqlite3

from load import DONE, Load, check, delete, put
from support import CRASH_ROUNDS, net_spec, scaled, sim_section

PF, SF, VF, MMU = "pci/0000:01:00.0", "auxiliary/mlx5_core.sf.4", "pci/0000:02:00.1", "sim0"

# Two that share PASIDs, a VF, and one with an MMU; nothing rests before it is used again.
CONFIG = "[resources]\nquarantine_sec = 0\n" + "".join((
    sim_section(PF, classes="net,block,gpu", transport="pci-pf", asid_kind="pasid", asids=300, reserved_asids="0-3",
                msis=500, reserved_msis="0,17", traffic=20),
    sim_section(SF, classes="net,gpu", transport="subfunction", asid_kind="pasid", pci_function="0000:01:00.0",
                asids=300, reserved_asids="0-3", msis=400, traffic=20),
    sim_section(VF, classes="net", transport="pci-vf", pf="0000:02:00.0", vf_index=0, max_devices=1, traffic=20),
    sim_section(MMU, asids=400, msis=4000, vqs=300, max_vqs=100, traffic=20),
))

HANDLES = (PF, SF, VF, MMU)
N_NAMES, N_REQUESTS = scaled(150), scaled(600)

# There is another device of the name; there is no room for it.
CONFLICT = 409


def random_spec(rng):
    spec = rng.choice((
        net_spec(),
        net_spec(max_vqp=rng.randint(2, 8)),
        net_spec(driver="virtio_vdpa", vq_groups=rng.randint(1, 4)),
        {"class": "block", "vqs": rng.randint(1, 40), "vq_groups": rng.randint(1, 20)},
        {"class": "gpu", "msi_policy": "shared", "vqs": rng.randint(1, 30)},
    ))
    return {**spec, "persistent": rng.random() < 0.5}


def random_requests(rng):
    for _ in range(N_REQUESTS):
        name = f"d{rng.randrange(N_NAMES)}"
        yield delete(name) if rng.random() < 0.4 else put(name, random_spec(rng))


def look(client):
    """Makes the daemon look at its hardware, as for a management device that it does not know; at most once a second,
    so that there can be some looks in vain."""
    client.put("look", {"class": "net", "mgmtdev": "not/there"}).expect(422)


def asids(device):
    return [row["asid"] for row in device["status"]["asids"]]


def assert_no_fault_on(client, handle):
    assert client.mgmtdev(handle)["faults"] == {"total": 0, "last": None}


def assert_no_fault(client):
    assert {handle: client.mgmtdev(handle)["faults"]["total"] for handle in HANDLES} == dict.fromkeys(HANDLES, 0)


def test_no_fault_under_load(make_daemon):
    """Devices of all kinds come and go while others use what they hold; the daemon is killed again and again."""
    rng = random.Random(3)
    daemon = make_daemon(CONFIG)
    client = daemon.start()
    n_refused = 0
    for _ in range(CRASH_ROUNDS):
        load = Load(daemon, random_requests(rng), (*DONE, CONFLICT))
        n_refused += load.run(rng.randint(1, N_REQUESTS // 2)).answered[CONFLICT]
        check(daemon)
        assert_no_fault(daemon.restart())
    assert n_refused > 0

    Load(daemon, [delete(name) for name in client.devices()]).run()
    check(daemon)
    assert_no_fault(client)
    assert all(b["used"] == 0 for handle in HANDLES for b in client.mgmtdev(handle)["budgets"].values())


def change_database(daemon, statement, *values):
    with sqlite3.connect(daemon.database) as database:
        assert database.execute(statement, values).rowcount == 1
    database.close()


def test_an_id_of_a_device_that_was_forgotten(make_daemon):
    """The database has lost a device that the hardware still has: what that holds is given to no other."""
    daemon = make_daemon(sim_section("sim0", reserved_asids=""))
    client = daemon.start()
    client.create("a", {"class": "block"})
    client.create("b", {"class": "block"})
    daemon.stop()
    change_database(daemon, "DELETE FROM device WHERE name = ?", "b")

    client = daemon.start()
    mgmtdev = client.mgmtdev("sim0")
    assert mgmtdev["foreign_devices"] == 1
    assert {name: b["foreign"] for name, b in mgmtdev["budgets"].items()} == {"devices": 1, "asids": 1, "msis": 2, "vqs": 1}
    # a has ASID 0, and b still ASID 1.
    assert asids(client.create("c", {"class": "block"})) == [2]
    check(daemon)
    client = daemon.restart()
    check(daemon)
    assert_no_fault_on(client, "sim0")


def test_what_foreign_devices_held(make_daemon):
    """All of the hardware's devices are forgotten; what they hold is theirs, until they are gone."""
    daemon = make_daemon(sim_section("sim0", asids=8, msis=64, reserved_asids="") + "[resources]\nquarantine_sec = 0\n")
    client = daemon.start()
    for i in range(6):
        client.create(f"d{i}", {"class": "block"})
    daemon.stop()
    daemon.database.unlink()

    client = daemon.start()
    assert client.mgmtdev("sim0")["budgets"]["asids"]["foreign"] == 6
    held = [asids(client.create(f"e{i}", {"class": "block"})) for i in range(2)]
    assert held == [[6], [7]]
    assert "free 0 of 8" in client.put("more", {"class": "block"}).expect(409, "no-capacity").json["detail"]
    check(daemon)
    assert_no_fault_on(client, "sim0")

    # Who is not known any more is not among the hardware's any more, either.
    daemon.stop()
    (daemon.runtime_dir / "sim.shm").unlink()
    client = daemon.start()
    assert client.mgmtdev("sim0")["budgets"]["asids"]["foreign"] == 0
    check(daemon)


def test_an_id_that_the_hardware_does_not_have(make_daemon):
    """A device is recorded with more than there is, and is to be made again."""
    daemon = make_daemon(sim_section("sim0", asids=40, msis=40))
    client = daemon.start()
    client.create("a", {"class": "block"})
    daemon.stop()
    change_database(daemon, "UPDATE device SET asids = '40' WHERE name = ?", "a")
    (daemon.runtime_dir / "sim.shm").unlink()

    client = daemon.start()
    assert client.device("a")["status"]["state"] == "lost"
    answer = client.put("a", {"class": "block"}).expect(502, "backend-failed")
    assert "ASID 40 is out of range: there are 40" in answer.json["detail"]
    # With the answer, and not only when the host is looked at again.
    assert client.mgmtdev("sim0")["faults"] == {"total": 1, "last": "ASID 40 is out of range: there are 40"}
    assert daemon.log().count("sim0 has faults: 1 in all, 1 new; the last one: ASID 40 is out of range") == 1
    client = daemon.restart()
    assert client.mgmtdev("sim0")["faults"]["total"] == 1


def test_traffic_is_counted(make_daemon):
    daemon = make_daemon(sim_section("sim0", traffic=10))
    client = daemon.start()
    assert client.mgmtdev("sim0")["traffic"] == {"dma": 0, "interrupts": 0, "dma_refused": 0, "interrupts_refused": 0}
    for i in range(10):
        client.create(f"d{i}", {"class": "block"})
    first = client.get("/v1/mgmtdevs/sim0")
    assert first.json["traffic"]["dma"] == first.json["traffic"]["interrupts"] > 10
    assert client.request("GET", "/v1/mgmtdevs/sim0", headers={"If-None-Match": first.etag}).status == 304
    look(client)
    later = client.request("GET", "/v1/mgmtdevs/sim0", headers={"If-None-Match": first.etag}).expect(200).json
    assert later["traffic"]["dma"] > first.json["traffic"]["dma"]
    assert later["traffic"]["dma_refused"] == 0
