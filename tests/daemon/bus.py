# SPDX-License-Identifier: LGPL-2.1-or-later
"""A message bus of a test's own, and the daemon's client on it.

The client takes the requests of REST, makes calls of D-Bus of them, and gives the answers the form of REST's, so that
one set of tests can ask both. What D-Bus cannot say is skipped."""

import functools
import re
import shutil
import subprocess
import threading
from urllib.parse import unquote

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

import client as rest
from conftest import daemons, temporary_directory
from contract import CONTRACT
from daemon import Daemon
from support import DEADLINE, TREE, poll

NAME = "org.hsvdpa"
ROOT = "/org/hsvdpa"
MANAGER = "org.hsvdpa.Manager1"
DEVICE = "org.hsvdpa.Device1"
MGMTDEV = "org.hsvdpa.ManagementDevice1"
PROPERTIES = "org.freedesktop.DBus.Properties"
BUS = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")

BUS_CONFIG = """<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    {policy}
  </policy>
</busconfig>
"""

ERROR_LINE = re.compile(r"^(/.*?): (.*) \[([a-z-]+)\]$", re.DOTALL)
CANDIDATE_LINE = re.compile(r"^([a-z]\S*): (.*) \[([a-z-]+)\]$")


def read_error_names():
    """The table of errors.def: D-Bus name -> code."""
    line = re.compile(r'^ERROR\(\w+, "([^"]+)", \d+, "([^"]+)", "[^"]+"\)$', re.MULTILINE)
    return {f"org.hsvdpa.Error.{name}": code
            for code, name in line.findall((TREE / "api/errors.def").read_text())}


ERROR_NAMES = read_error_names()


class Bus:
    """dbus-daemon, on a socket of its own."""

    def __init__(self, directory, policy=""):
        for program in ("dbus-daemon", "busctl"):
            if not shutil.which(program):
                pytest.skip(f"there is no {program} (Debian: dbus, systemd)")
        self.path = directory / "bus"
        self.config = directory / "bus.conf"
        self.config.write_text(BUS_CONFIG.format(path=self.path, policy=policy))
        self.address = f"unix:path={self.path}"
        self.process = None
        directory.chmod(0o755)
        self.start()

    def start(self):
        command = ["dbus-daemon", f"--config-file={self.config}", "--nofork", "--nopidfile", "--nosyslog"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        poll("bus", self.is_listening)

    def is_listening(self):
        try:
            self.connect().close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.path.unlink(missing_ok=True)

    def connect(self):
        return Connection(self.address)

    def busctl(self, *arguments, prefix=()):
        """Runs busctl on it; returns the finished process."""
        return subprocess.run(
            [*prefix, "busctl", f"--address={self.address}", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False,
        )


class BusError(Exception):
    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name, self.text = name, text


class Connection:
    """A connection to a bus. A call's answer is a tuple; an error is raised."""

    def __init__(self, address):
        self.dbus = open_dbus_connection(address, auth_timeout=DEADLINE)
        self.unique_name = self.dbus.unique_name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.dbus.close()

    def send(self, path, interface, method, signature="", *arguments):
        """Sends a call and does not wait; returns its serial."""
        address = DBusAddress(path, bus_name=NAME, interface=interface)
        serial = next(self.dbus.outgoing_serial)
        self.dbus.send(new_method_call(address, method, signature or None, arguments), serial=serial)
        return serial

    def call(self, path, interface, method, signature="", *arguments, to=NAME):
        address = DBusAddress(path, bus_name=to, interface=interface)
        message = new_method_call(address, method, signature or None, arguments)
        return self.result(self.dbus.send_and_get_reply(message, timeout=DEADLINE))

    @staticmethod
    def result(reply):
        if reply.header.message_type == MessageType.error:
            raise BusError(reply.header.fields[HeaderFields.error_name], reply.body[0] if reply.body else "")
        return reply.body

    def manager(self, method, signature="", *arguments):
        return self.call(ROOT, MANAGER, method, signature, *arguments)

    def properties(self, path, interface):
        """All properties of an object, as plain values."""
        (values,) = self.call(path, PROPERTIES, "GetAll", "s", interface)
        return plain(values)

    def get(self, path, interface, name):
        return plain(self.call(path, PROPERTIES, "Get", "ss", interface, name)[0])

    def add_match(self, rule):
        message = new_method_call(BUS, "AddMatch", "s", (rule,))
        self.result(self.dbus.send_and_get_reply(message, timeout=DEADLINE))

    def receive(self, seconds=DEADLINE):
        return self.dbus.receive(timeout=seconds)

    def signals(self, seconds):
        """The signals that come until nothing has come for so long: (member, path, plain body)."""
        try:
            while True:
                message = self.dbus.receive(timeout=seconds)
                fields = message.header.fields
                if message.header.message_type == MessageType.signal and fields[HeaderFields.sender] != BUS.bus_name:
                    yield fields[HeaderFields.member], fields[HeaderFields.path], plain(message.body)
        except TimeoutError:
            pass


def plain(value):
    """What jeepney has read, without the signatures of its variants."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and is_variant(value):
        return plain(value[1])
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return value


def is_variant(value):
    """Whether the pair is a variant, and not a structure of two, of which the daemon has (ss), and (oa{sv})."""
    kinds = {"s": str, "b": bool, "x": int, "d": float, "t": int, "u": int, "i": int, "g": str}
    signature, content = value
    if signature in kinds:
        return isinstance(content, kinds[signature])
    return signature in ("av", "a{sv}", "as", "a{ss}", "(ss)") and isinstance(content, (list, dict, tuple))


def unsayable(what):
    pytest.skip(f"D-Bus cannot say {what}")


def variant(value):
    """A JSON value as it is written on the bus."""
    if value is None:
        return "g", ""
    if isinstance(value, bool):
        return "b", value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            unsayable(f"the integer {value}")
        return ("x", value) if value < 2**63 else ("t", value)
    if isinstance(value, float):
        return "d", value
    if isinstance(value, str):
        if "\0" in value:
            unsayable("NUL")
        return "s", value
    if isinstance(value, dict):
        return "a{sv}", dictionary(value)
    return "av", [variant(member) for member in value]


def dictionary(value):
    if not isinstance(value, dict):
        unsayable("that where a dictionary must be")
    if any("\0" in key for key in value):
        unsayable("NUL")
    return {key: variant(member) for key, member in value.items()}


def with_nulls(value, schema):
    """The value with the nulls that the schema requires and D-Bus leaves out."""
    schema = CONTRACT.resolve(schema)
    if isinstance(value, list):
        return [with_nulls(member, schema.get("items", {})) for member in value]
    if not isinstance(value, dict):
        return value
    properties = {key: CONTRACT.resolve(member) for key, member in schema.get("properties", {}).items()}
    required = list(schema.get("required", []))
    for choice in map(CONTRACT.resolve, [*schema.get("oneOf", []), *schema.get("anyOf", [])]):
        properties.update((key, CONTRACT.resolve(member)) for key, member in choice.get("properties", {}).items())
        required += choice.get("required", [])
    others = schema.get("additionalProperties")
    filled = {
        key: with_nulls(member, properties.get(key, others if isinstance(others, dict) else {}))
        for key, member in value.items()
    }
    for key in required:
        filled.setdefault(key, None)
    return filled


class Answer(rest.Answer):
    """What REST would have answered."""

    def __init__(self, status, json, headers=None):
        self.status = status
        self._json = json
        self.headers = headers or {}

    @property
    def json(self):
        return self._json

    @property
    def body(self):
        return repr(self._json).encode()


def etag(json):
    return f'"{json["revision"]}"'


def schema(name):
    return {"$ref": f"#/components/schemas/{name}"}


def made(status, value, kind, **headers):
    """A good answer, which must be as the document has it."""
    value = with_nulls(plain(value), schema(kind))
    CONTRACT.validate(value, schema(kind), f"D-Bus: {kind}")
    if kind in ("Device", "Mgmtdev"):
        headers["ETag"] = etag(value)
    return Answer(status, value, headers)


def refused(error):
    """The problem that an error of ours stands for."""
    assert error.name in ERROR_NAMES, error
    code = ERROR_NAMES[error.name]
    status, title = CONTRACT.errors[code]
    detail, *lines = re.split(r"\n(?=/|\.\.\. and |[a-z][^\n ]*: [^\n]* \[[a-z-]+\](?:\n|$))", error.text)
    problem = {"title": title, "status": status, "code": code, "detail": detail}
    left_out = [line for line in lines if line.startswith("... and ") and "management devices" in line]
    omitted = [line for line in lines if line.startswith("... and ") and line not in left_out]
    faults = [ERROR_LINE.match(line).groups() for line in lines if line[0] == "/"]
    candidates = {}
    for line in lines:
        if line[0] not in "/.":
            handle, reason, kind = CANDIDATE_LINE.match(line).groups()
            candidates.setdefault(handle, []).append({"code": kind, "detail": reason})
    if candidates:
        problem["candidates"] = [{"mgmtdev": handle, "fits": False, "reasons": reasons}
                                 for handle, reasons in candidates.items()]
    if left_out:
        problem["candidates_omitted"] = int(left_out[0].split()[2])
    if faults:
        problem["errors"] = [dict(zip(("pointer", "detail", "code"), fault)) for fault in faults]
        for fault in problem["errors"]:
            fault["pointer"] = re.sub("^/filter", "/query", fault["pointer"])
            fault["pointer"] = re.sub("^/query/labels(/.*)?$", "/query/label", fault["pointer"])
            fault["pointer"] = re.sub("^/settings", "", fault["pointer"])
            fault["pointer"] = re.sub("^/options/revision", "/header/If-Match", fault["pointer"])
            fault["pointer"] = re.sub("^/options", "/query", fault["pointer"])
    if omitted:
        problem["errors_omitted"] = int(omitted[0].split()[2])
    CONTRACT.validate(problem, schema("Problem"), "D-Bus: error")
    return Answer(status, problem)


class BusClient(rest.Client):
    def __init__(self, bus):
        super().__init__(None)
        self.bus = bus
        self._local = threading.local()

    @property
    def connection(self):
        if not hasattr(self._local, "connection"):
            self._local.connection = self.bus.connect()
        return self._local.connection

    def raw(self):
        unsayable("bytes of HTTP")

    def request(self, method, target, body=None, headers=None, query=None):
        if isinstance(body, bytes):
            unsayable("a body")
        path, _, rest_of_target = target.partition("?")
        query = dict(query or {})
        headers = {field: value for field, value in (headers or {}).items() if value is not None}
        if path.endswith(":repair") and rest_of_target.startswith("dry_run="):
            query["dry_run"] = rest_of_target.partition("=")[2]
        elif rest_of_target:
            unsayable(rest_of_target)
        try:
            for name, pattern in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and hasattr(self, f"{method.lower()}_{name}"):
                    parameters = [unquote(group) for group in match.groups()]
                    return getattr(self, f"{method.lower()}_{name}")(*parameters, body, headers, query)
        except BusError as error:
            if error.name in ("org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NoReply",
                              "org.freedesktop.DBus.Error.NameHasNoOwner"):
                raise ConnectionRefusedError(str(error)) from error
            return refused(error)
        except ConnectionResetError:
            del self._local.connection
            raise
        return unsayable(f"{method} {path}")

    def get_health(self, *_):
        self.connection.call(ROOT, "org.freedesktop.DBus.Peer", "Ping")
        return Answer(200, {})

    def get_ready(self, *_):
        return Answer(200 if self.connection.get(ROOT, MANAGER, "Ready") else 503, {})

    def get_host(self, *_):
        (value,) = self.connection.manager("GetHost")
        value = plain(value)
        # Limits that are REST's own.
        value["limits"].update(max_batch_bytes=1024, max_batch_items=1, max_body_bytes=1024, max_connections=1,
                               max_connections_per_user=1, idle_timeout_sec=1, request_timeout_sec=1, max_json_depth=1,
                               max_json_values=1)
        return made(200, value, "Host")

    def get_mgmtdevs(self, *_):
        (items,) = self.connection.manager("ListManagementDevices")
        return made(200, {"items": [item for _, item in items]}, "MgmtdevList")

    def get_mgmtdev(self, handle, _, headers, query):
        if "If-None-Match" in headers:
            unsayable("If-None-Match")
        if "\0" in handle:
            unsayable("NUL")
        _, value = self.connection.manager("GetManagementDevice", "s", handle)
        return made(200, value, "Mgmtdev")

    def get_drift(self, _, headers, query):
        if "kind" in query:
            query["kinds"] = [query["kind"]] if isinstance(query["kind"], str) else list(query.pop("kind"))
            query.pop("kind", None)
        if "limit" in query:
            query["limit"] = int(query["limit"])
        if "refresh" in query:
            query["refresh"] = {"true": True, "false": False}[str(query["refresh"]).lower()]
        items, token, mode = self.connection.manager("ListDrift", "a{sv}", dictionary(query))
        page = {"items": list(items), "mode": mode}
        if token:
            page["continue"] = token
        return made(200, page, "DriftList")

    def post_repair(self, body, headers, query):
        if not isinstance(body, dict):
            unsayable("such a body")
        options = dict(body)
        if "dry_run" in query:
            options["dry-run"] = {"true": True, "false": False}.get(query["dry_run"], query["dry_run"])
        try:
            (results,) = self.connection.manager("RepairDrift", "a{sv}", dictionary(options))
        except BusError as error:
            answer = refused(error)
            for fault in answer.json.get("errors", []):
                fault["pointer"] = fault["pointer"].removeprefix("/query").replace("/dry-run", "/query/dry_run")
            return answer
        return made(200, {"results": results}, "RepairResults")

    def post_adoption(self, name, body, headers, query):
        if not isinstance(body, dict):
            unsayable("such a body")
        (value,) = self.connection.manager("AdoptDevice", "sa{sv}a{sv}", name, dictionary(body.get("spec", {})), {})
        return made(201, value, "Device")

    def get_pools(self, *_):
        (items,) = self.connection.manager("ListPools")
        return made(200, {"items": list(items)}, "PoolList")

    def get_one_pool(self, name, _, headers, query):
        (value,) = self.connection.manager("GetPool", "s", name)
        return made(200, value, "Pool")

    def put_one_pool(self, name, body, headers, query):
        if not isinstance(body, dict) or set(body) != {"spec"}:
            unsayable("such a body")
        value, created = self.connection.manager("SetPool", "sa{sv}a{sv}", name, dictionary(body["spec"]), {})
        return made(201 if created else 200, value, "Pool")

    def delete_one_pool(self, name, _, headers, query):
        self.connection.manager("RemovePool", "sa{sv}", name, {})
        return Answer(204, None)

    def post_claim(self, name, body, headers, query):
        options = self._options(headers, query)
        _, value = self.connection.manager("ClaimDevice", "sa{sv}a{sv}", name, dictionary((body or {}).get("spec", {})),
                                           options)
        value = plain(value)
        return made(201, value, "Device", Location=f"/v1/devices/{value['name']}")

    def post_return(self, name, body, headers, query):
        options = self._options(headers, {**query, **({"uid": body["uid"]} if "uid" in body else {})})
        self.connection.manager("ReturnDevice", "ssa{sv}", name, body["device"], options)
        return Answer(204, None)

    def patch_mgmtdev(self, handle, body, headers, query):
        if not isinstance(body, dict):
            unsayable("such a body")
        arguments = handle, dictionary(body), self._options(headers, query)
        (value,) = self.connection.manager("UpdateManagementDevice", "sa{sv}a{sv}", *arguments)
        assert plain(self.connection.manager("GetManagementDevice", "s", handle)[1]) == plain(value)
        return made(200, value, "Mgmtdev")

    def get_devices(self, _, headers, query):
        if "Accept" in headers:
            unsayable("lines")
        if "limit" in query:
            if not re.fullmatch("-?[0-9]+", str(query["limit"])):
                unsayable("such a limit")
            query["limit"] = int(query["limit"])
        if "label" in query:
            labels = [query["label"]] if isinstance(query["label"], str) else query["label"]
            pairs = dict(label.partition("=")[::2] for label in labels)
            if len(pairs) < len(set(labels)) or "" in pairs or any("=" not in label for label in labels):
                unsayable("such labels")
            query["labels"] = pairs
            del query["label"]
        items, token, revision = self.connection.manager("ListDevices", "a{sv}", dictionary(query))
        page = {"items": [item for _, item in items], "revision": revision}
        if token:
            page["continue"] = token
        return made(200, page, "DeviceList")

    def get_device(self, name, _, headers, query):
        if {"If-None-Match", "If-Match"} & headers.keys() or query:
            unsayable("such a condition")
        path, value = self.connection.manager("GetDevice", "s", name)
        assert plain(self.connection.call(path, DEVICE, "Describe")[0])["uid"] == plain(value)["uid"]
        return made(200, value, "Device")

    def get_stats(self, name, _, headers, query):
        (items,) = self.connection.manager("GetStats", "s", name)
        return made(200, {"items": [dict(zip(("queue", "name", "value"), item)) for item in items]}, "DeviceStats")

    def create(self, name, spec):
        return self.put(name, spec).expect(201).json

    def _create(self, name, body, headers, query):
        dry_run = query.pop("dry_run", "false")
        if dry_run not in ("true", "false") or not isinstance(body, dict) or set(body) - {"spec", "name"}:
            unsayable("such a request")
        name_in_body = body.get("name")
        if not isinstance(name_in_body, (str, type(None))) or name_in_body == "" or "\0" in (name_in_body or ""):
            unsayable("such a name")
        if name and name_in_body not in (None, name):
            unsayable("two names")
        options = self._options(headers, query)
        if dry_run == "true" and options:
            unsayable("such a plan")
        arguments = name or name_in_body or "", dictionary(body.get("spec")), options
        if dry_run == "true":
            (value,) = self.connection.manager("PlanDevice", "sa{sv}a{sv}", *arguments)
            return made(200, value, "Plan")
        path, value, created = self.connection.manager("CreateDevice", "sa{sv}a{sv}", *arguments)
        value = plain(value)
        assert self.connection.get(path, DEVICE, "Name") == value["name"]
        location = {"Location": f"/v1/devices/{value['name']}"} if created else {}
        return made(201 if created else 200, value, "Device", **location)

    def put_device(self, name, body, headers, query):
        return self._create(name, body, headers, query)

    def post_devices(self, body, headers, query):
        return self._create(None, body, headers, query)

    def _result(self, created, item):
        """One of a batch, as REST has it."""
        name, path, made_now, error, text = item
        named = {"name": name} if name else {}
        if error:
            problem = refused(BusError(error, text))
            return {**named, "status": problem.status, "problem": problem.json}
        if not created:
            return {**named, "status": 204}
        device = with_nulls(plain(self.connection.call(path, DEVICE, "Describe")[0]), schema("Device"))
        return {**named, "status": 201 if made_now else 200, "device": device}

    def _batch(self, method, created, devices, options):
        try:
            (items,) = self.connection.manager(method, "a(sa{sv})a{sv}", devices, dictionary(options))
        except BusError as error:
            answer = refused(error)
            for fault in answer.json.get("errors", []):
                fault["pointer"] = re.sub("^/query/idempotency-key", "/header/Idempotency-Key", fault["pointer"])
                fault["pointer"] = re.sub("^/query|(?<=[0-9])/options(?=/)", "", fault["pointer"])
            return answer
        return made(200, {"results": [self._result(created, item) for item in items]}, "BatchResults")

    def post_create_batch(self, body, headers, query):
        devices = body.get("devices") if isinstance(body, dict) else None
        key = headers.pop("Idempotency-Key", None)
        if headers or not isinstance(devices, list) or not all(
                isinstance(each, dict) and set(each) <= {"name", "spec"} and self._can_say_spec(body, each)
                and each.get("name", "x") != "" for each in devices) or len(devices) > 1000:
            unsayable("such a batch")
        options = {name: value for name, value in body.items() if name != "devices"}
        if key is not None:
            options["idempotency-key"] = key
        return self._batch("CreateDevices", True, [(each.get("name", ""), dictionary(each.get("spec") or {})) for each in devices],
                           options)

    @staticmethod
    def _can_say_spec(body, item):
        """An empty one is none."""
        spec = item.get("spec")
        return isinstance(spec, dict) and ("spec" not in body or spec != {}) or spec is None and isinstance(body.get("spec"), dict)

    def post_delete_batch(self, body, headers, query):
        devices = body.get("devices") if isinstance(body, dict) else None
        key = headers.pop("Idempotency-Key", None)
        if headers or not isinstance(devices, list) or not all(isinstance(each.get("name"), str) for each in devices):
            unsayable("such a batch")
        options = {"missing-ok": body["missing_ok"]} if "missing_ok" in body else {}
        if key is not None:
            options["idempotency-key"] = key
        devices = [(each["name"], dictionary({key: value for key, value in each.items() if key != "name"}))
                   for each in devices]
        return self._batch("DeleteDevices", False, devices, options)

    @staticmethod
    def _options(headers, query):
        options = dict(query)
        match = headers.pop("If-Match", "*")
        if match != "*":
            if not re.fullmatch('"(0|[1-9][0-9]*)"', match):
                unsayable("such an entity tag")
            options["revision"] = int(match.strip('"'))
        for field, option in (("Idempotency-Key", "idempotency-key"), ("If-None-Match", "must-not-exist")):
            if field in headers:
                options[option] = headers.pop(field)
        if options.get("must-not-exist") == "*":
            options["must-not-exist"] = True
        if "generation" in options:
            options["generation"] = int(options["generation"])
        if headers:
            unsayable("such a header")
        if "missing_ok" in options:
            options["missing-ok"] = {"true": True, "false": False}[options.pop("missing_ok")]
        return dictionary(options)

    def patch_device(self, name, body, headers, query):
        if not isinstance(body, dict) or set(body) != {"spec"}:
            unsayable("such a body")
        headers.pop("Content-Type", None)
        arguments = name, dictionary(body["spec"]), self._options(headers, query)
        (value,) = self.connection.manager("UpdateDevice", "sa{sv}a{sv}", *arguments)
        return made(200, value, "Device")

    def post_renewal(self, name, body, headers, query):
        headers.pop("Content-Type", None)
        seconds = {"lease-seconds": body["lease_seconds"]} if body else {}
        arguments = name, {**dictionary(seconds), **self._options(headers, query)}
        (value,) = self.connection.manager("RenewDevice", "sa{sv}", *arguments)
        return made(200, value, "Device")

    def delete_device(self, name, _, headers, query):
        self.connection.manager("DeleteDevice", "sa{sv}", name, self._options(headers, query))
        return Answer(204, None)


ROUTES = [
    ("health", "/healthz"),
    ("ready", "/readyz"),
    ("host", "/v1/host"),
    ("drift", "/v1/drift"),
    ("repair", "/v1/drift:repair"),
    ("mgmtdevs", "/v1/mgmtdevs"),
    ("mgmtdev", "/v1/mgmtdevs/(.+)"),
    ("devices", "/v1/devices"),
    ("create_batch", "/v1/devices:batchCreate"),
    ("delete_batch", "/v1/devices:batchDelete"),
    ("pools", "/v1/pools"),
    ("claim", "/v1/pools/([^/]+):claim"),
    ("return", "/v1/pools/([^/]+):return"),
    ("one_pool", "/v1/pools/([^/]+)"),
    ("adoption", "/v1/devices/([^/]+):adopt"),
    ("renewal", "/v1/devices/([^/]+):renew"),
    ("device", "/v1/devices/([^/]+)"),
    ("stats", "/v1/devices/([^/]+)/stats"),
]


class BusDaemon(Daemon):
    """A daemon on a bus."""

    def __init__(self, directory, config, bus):
        super().__init__(directory, config)
        self.bus = bus

    def environment(self, **more):
        return super().environment(DBUS_SYSTEM_BUS_ADDRESS=self.bus.address, **more)

    def is_listening(self):
        return self.get_status("/healthz") == 200 and self.is_on_bus()

    def is_ready(self):
        return super().is_ready() and self.is_on_bus()

    def is_on_bus(self):
        with self.bus.connect() as connection:
            message = new_method_call(BUS, "NameHasOwner", "s", (NAME,))
            return connection.dbus.send_and_get_reply(message, timeout=DEADLINE).body[0]

    def bus_client(self):
        return BusClient(self.bus)


class OnlyBusDaemon(BusDaemon):
    """The same, whose clients are on the bus."""

    def client(self):
        return self.bus_client()



@pytest.fixture(scope="module", name="bus")
def fixture_bus():
    with temporary_directory() as directory:
        bus = Bus(directory)
        try:
            yield bus
        finally:
            bus.stop()


# The fixtures of conftest.py, for those who ask over the bus what was written for REST.


@pytest.fixture(name="make_daemon")
def fixture_make_daemon(bus):
    with daemons(functools.partial(OnlyBusDaemon, bus=bus)) as make:
        yield make


@pytest.fixture(scope="module", name="shared_daemon")
def fixture_shared_daemon(request, bus):
    with daemons(functools.partial(OnlyBusDaemon, bus=bus)) as make:
        daemon = make(getattr(request.module, "CONFIG", ""))
        daemon.start()
        yield daemon
