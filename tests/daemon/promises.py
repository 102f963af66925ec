# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon has promised, and so has to be so whatever becomes of it.

For each name: what may be found under it. That is one thing after an answer, and several while a request is under way or
when it was never answered: what was before, and what was asked for. Between two requests for one name there is an answer,
or the end of the daemon.
"""

import copy


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge(target.get(key), value)
    return target


def covers(spec, asked):
    """Whether the spec has all that was asked for; defaults are filled in beside that."""
    return all(covers(spec.get(key), value) if isinstance(value, dict) else spec.get(key) == value
               for key, value in asked.items()) if isinstance(spec, dict) else False


class Device:
    """What can be found. uid and holdings: None where nobody was told yet."""

    def __init__(self, spec, told=None):
        self.spec = spec
        self.uid = told and told["uid"]
        self.held = told and holdings(told)

    def damage(self, found):
        if self.uid not in (None, found["uid"]):
            return f"has the uid {found['uid']}, and was told to have {self.uid}"
        if not covers(found["spec"], self.spec):
            return f"has the spec {found['spec']}, and was to have {self.spec}"
        if self.held not in (None, holdings(found)):
            return f"holds {holdings(found)}, and was told to hold {self.held}"
        return None


def holdings(device):
    status = device["status"]
    return status["mgmtdev"], [row["asid"] for row in status["asids"]], [row["entry"] for row in status["msis"]]


def is_free(found):
    """Of a device that it is a pool's: nobody was told of it."""
    return found["status"].get("holder", "").startswith("pool ")


class Promises:
    def __init__(self):
        self.names = {}  # what may be found: a list of Devices, and of None for nothing
        self.n_answers = 0

    def may_be(self, name):
        return self.names.get(name, [None])

    def asked(self, method, name, spec=None):
        """A request is on its way."""
        before = self.may_be(name)
        if method == "PUT":
            later = [Device(spec)] if None in before else []
        elif method == "PATCH":
            later = []
            for device in filter(None, before):
                later.append(copy.copy(device))
                later[-1].spec = merge(device.spec, spec)
        else:
            later = [None]
        self.names[name] = before + later

    def answered(self, method, name, status, body):
        """An answer to it has come. Returns what is wrong with that."""
        self.n_answers += 1
        if status in (200, 201):
            if not any(device and device.damage(body) is None for device in self.names[name]):
                return f"{name}: {method} was answered with {body}"
            self.names[name] = [Device(body["spec"], body)]
        elif status == 204:
            self.names[name] = [None]
        # After a refusal it can be as it was, or what was asked for and then not acknowledged.
        return None

    def settle(self, devices):
        """What is found is held against what may be, and taken for known. Returns what is wrong: (lost, extra)."""
        devices = {name: found for name, found in devices.items() if not is_free(found)}
        lost, extra = [], []
        for name in sorted(self.names.keys() | devices.keys()):
            found = devices.get(name)
            choices = self.may_be(name)
            if found is None and None not in choices:
                lost.append(f"lost: {name}, of which was told: {choices[0].spec}")
            elif found is not None:
                damages = [device.damage(found) for device in choices if device]
                if not damages:
                    extra.append(f"extra: {name} is there, and was deleted, or never asked for")
                elif None not in damages:
                    lost.append(f"lost: {name}: {damages[0]}")
        self.names = {name: [Device(device["spec"], device)] for name, device in devices.items()}
        return lost, extra


class PoolUser:
    """What can be asked of a pool called "p", by who has ask(), promises and wait_for(function)."""

    returned = frozenset()  # uids of devices that were given back

    def has_pool(self):
        return self.ask("GET", "/v1/pools/p")[0] == 200

    def wait_for_pool(self, n):
        """Until so many are free, or (0) there is none left of a pool that is no more."""
        def is_filled():
            free = [found for found in self.ask("GET", "/v1/devices")[1]["items"] if is_free(found)]
            return len(free) == n and all(found["status"]["state"] == "ready" for found in free)
        self.wait_for(is_filled)

    def claim(self, spec):
        """Returns the name of the device."""
        status, body = self.ask("POST", "/v1/pools/p:claim", {"spec": spec})
        assert status == 201, body
        self.promises.names[body["name"]] = [Device(body["spec"], body)]
        return body["name"]

    def give_back(self, name):
        uid, = [device.uid for device in self.promises.names[name]]
        self.promises.asked("DELETE", name)
        assert self.ask("POST", "/v1/pools/p:return", {"device": name})[0] == 204
        self.returned |= {uid}
        self.promises.names[name] = [None]

    def remove_pool(self):
        assert self.ask("DELETE", "/v1/pools/p")[0] == 204
        self.wait_for_pool(0)

    def recognize_claims(self, owner):
        """After a death in the middle: what the owner has may have been claimed, or was returned and claimed again, and
        nobody was told; but it is not as it was before that."""
        for found in self.ask("GET", "/v1/devices")[1]["items"]:
            assert found["uid"] not in self.returned
            if found["spec"].get("owner") == owner:
                self.promises.names.setdefault(found["name"], []).append(Device(found["spec"]))
