# SPDX-License-Identifier: LGPL-2.1-or-later
"""One simulated management device, filled to the last of its PASIDs and to the last of its MSI entries.

Net, block and GPU devices of random sizes; killed in the middle; half of them deleted, and filled again. The hardware
checks each command and lets devices use what they hold, and the checker counts what the daemon says.
"""

import random

from load import PATIENCE, Load, check, delete, put
from support import SLOW, poll, sim_section

HANDLE = "pci/0000:01:00.0"
N_PASIDS = 1 << (14 if SLOW else 20)
N_MSIS = 1 << (14 if SLOW else 20)
RESERVED_PASIDS, N_RESERVED_PASIDS = "0-15,4000", 17
RESERVED_MSIS, N_RESERVED_MSIS = "9", 1
QUARANTINE_SEC = 2

CONFIG = f"[resources]\nquarantine_sec = {QUARANTINE_SEC}\n" + sim_section(
    HANDLE,
    classes="net,block,gpu",
    transport="pci-pf",
    asid_kind="pasid",
    asids=N_PASIDS,
    reserved_asids=RESERVED_PASIDS,
    msis=N_MSIS,
    reserved_msis=RESERVED_MSIS,
    max_vqs=1024,
    traffic=4,
)

GROUPS_MAX, VQS_MAX = 64, 1024


class Planner:
    """Specs of devices that take so many PASIDs and MSI entries together, and not one less."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.counter = 0

    def plan(self, n_asids, n_msis):
        """The specs by name."""
        specs = {}
        while n_asids > GROUPS_MAX:
            groups = self.random.randint(GROUPS_MAX * 3 // 4, GROUPS_MAX)
            # The last ones take their share, so that there is one left for the very last.
            share = self.random.uniform(0.5, 1.5) if n_asids > 8 * GROUPS_MAX else 1
            entries = round(n_msis * groups / n_asids * share)
            name, spec, entries = self._make(groups, max(2, min(entries, VQS_MAX + 1)))
            specs[name] = spec
            n_asids -= groups
            n_msis -= entries
        specs[self._name()] = {"class": "block", "vq_groups": n_asids, "vqs": n_msis - 1}
        assert 1 <= n_msis - 1 <= VQS_MAX
        return specs

    def _name(self):
        self.counter += 1
        return f"d{self.counter:06}"

    def _make(self, groups, entries):
        device_class = self.random.choice(("net", "block", "gpu"))
        if device_class != "net" or entries < 4:
            device_class = "gpu" if device_class == "gpu" else "block"
            return self._name(), {"class": device_class, "vq_groups": groups, "vqs": entries - 1}, entries
        # The pairs, the control virtqueue, and configuration changes.
        pairs = (entries - 2) // 2
        return self._name(), {"class": "net", "vq_groups": groups, "net": {"max_vqp": pairs}}, 2 * pairs + 2


def sizes(specs):
    """The PASIDs and MSI entries that the devices take."""
    vqs = [2 * spec["net"]["max_vqp"] + 1 if "net" in spec else spec["vqs"] for spec in specs.values()]
    return sum(spec["vq_groups"] for spec in specs.values()), sum(n + 1 for n in vqs)


def budgets(daemon):
    mgmtdev = daemon.client().mgmtdev(HANDLE)
    return mgmtdev["budgets"]["asids"], mgmtdev["budgets"]["msis"]


def assert_full(daemon):
    """Nothing is left, and the next one is told so in numbers."""
    for budget, total, reserved in zip(
        budgets(daemon), (N_PASIDS, N_MSIS), (N_RESERVED_PASIDS, N_RESERVED_MSIS)
    ):
        assert (budget["total"], budget["reserved"], budget["used"]) == (total, reserved, total - reserved), budget
        assert (budget["quarantined"], budget["free"]) == (0, 0), budget
    answer = daemon.client().put("one-more", {"class": "block"})
    assert answer.code == "no-capacity", answer.json
    assert f"asids: need 1, free 0 of {N_PASIDS}" in answer.body.decode(), answer.json
    assert f"msis: need 2, free 0 of {N_MSIS}" in answer.body.decode(), answer.json


def assert_no_fault(daemon):
    """A daemon that starts looks at the hardware first."""
    client = daemon.restart()
    assert client.mgmtdev(HANDLE)["faults"]["total"] == 0


def test_to_the_last_one(make_daemon):
    planner = Planner(42)
    daemon = make_daemon(CONFIG)
    daemon.start()
    specs = planner.plan(N_PASIDS - N_RESERVED_PASIDS, N_MSIS - N_RESERVED_MSIS)
    requests = [put(*item) for item in specs.items()]
    last = requests.pop()
    Load(daemon, requests).run(kill_at=len(requests) // 2)
    Load(daemon, [last]).run()
    check(daemon)
    assert_full(daemon)

    gone = planner.random.sample(sorted(specs), len(specs) // 2)
    Load(daemon, map(delete, gone)).run(kill_at=len(gone) // 2)
    assert any(budget["quarantined"] > 0 for budget in budgets(daemon))
    poll("end of the quarantine", lambda: all(b["quarantined"] == 0 for b in budgets(daemon)), PATIENCE)
    n_asids, n_msis = sizes({name: specs[name] for name in gone})
    assert [budget["free"] for budget in budgets(daemon)] == [n_asids, n_msis]

    again = planner.plan(n_asids, n_msis)
    requests = [put(*item) for item in again.items()]
    last = requests.pop()
    Load(daemon, requests).run(kill_at=len(requests) // 3)
    Load(daemon, [last]).run()
    check(daemon)
    assert_full(daemon)
    assert_no_fault(daemon)
