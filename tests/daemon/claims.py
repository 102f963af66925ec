# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon has promised of the devices of a pool, whose names nobody chooses, and which many take from at once.

A device is known by its uid from its claim to its return. Each claim has an owner that no other has, so that one that was
never answered is known again by that.
"""

from promises import covers, is_free

POOL = "pool"
SPEC = {"device": {"class": "net", "endpoint": {"uid": 107, "gid": 107, "mode": "0660"}}, "low": 3, "high": 8}


class Claims:
    def __init__(self):
        self.held = {}  # what was claimed, by uid: name and spec
        self.asked = {}  # claims without an answer: spec by owner
        self.returning = set()  # uids of returns without an answer
        self.gone = set()  # uids that were returned
        self.n_claims = 0
        self.n_answers = 0

    def ask(self, mac):
        """A claim is on its way; returns its spec."""
        self.n_claims += 1
        spec = {"owner": f"claim:{self.n_claims}", "lease_seconds": 86400, **({"net": {"mac": mac}} if mac else {})}
        self.asked[spec["owner"]] = spec
        return spec

    def claimed(self, spec, status, body):
        """A claim was answered; returns what is wrong with that."""
        self.n_answers += 1
        if status != 201:
            # A daemon that could not record it may have it all the same.
            if status != 503 or body["code"] == "pool-empty":
                del self.asked[spec["owner"]]
            return None
        del self.asked[spec["owner"]]
        if body["uid"] in self.held or body["uid"] in self.gone:
            return f"claimed twice: {body['name']}, uid {body['uid']}"
        self.held[body["uid"]] = body["name"], spec
        return None

    def returned(self, uid, status):
        self.n_answers += 1
        self.returning.discard(uid)
        if status == 204:
            del self.held[uid]
            self.gone.add(uid)

    def settle(self, devices):
        """Holds what is found against that, and takes it for known. Returns the rest of the devices, and what is wrong: (lost,
        extra)."""
        ours = {name: found for name, found in devices.items() if name.startswith(f"{POOL}-")}
        lost, extra, found_uids = [], [], set()
        for name, found in ours.items():
            if found["uid"] in self.gone:
                extra.append(f"extra: {name} has uid {found['uid']}, which was returned")
            if is_free(found):
                continue
            found_uids.add(found["uid"])
            spec = self.asked.pop(found["spec"].get("owner"), None)
            if found["uid"] not in self.held and spec:
                self.held[found["uid"]] = name, spec
            if found["uid"] not in self.held:
                extra.append(f"extra: {name} is nobody's, and was not claimed: {found['spec']}")
            elif not covers(found["spec"], self.held[found["uid"]][1]):
                lost.append(f"lost: {name} has the spec {found['spec']}, and was claimed with {self.held[found['uid']][1]}")
        for uid in self.held.keys() - found_uids:
            if uid not in self.returning:
                lost.append(f"lost: {self.held[uid][0]}, uid {uid}, was claimed, and is not there")
            del self.held[uid]
        self.returning.clear()
        self.asked.clear()
        return {name: found for name, found in devices.items() if name not in ours}, lost, extra
