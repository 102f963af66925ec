# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plain client of the daemon's REST interface. Every answer that it gets is held against the contract."""

import http.client
import io
import json
import socket
from urllib.parse import urlencode

from contract import CONTRACT, LINES
from support import DEADLINE, poll

HOST = "localhost"


def connect(address):
    """A stream socket, connected: address is the path of a Unix socket, or (host, port)."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(DEADLINE)
    try:
        sock.connect(address if isinstance(address, tuple) else str(address))
    except OSError:
        sock.close()
        raise
    return sock


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def etag(self):
        return self.headers["ETag"]

    def pointers(self):
        """Where the daemon has found faults."""
        return sorted(fault["pointer"] for fault in self.json.get("errors", []))

    def expect(self, status, code=None, *pointers):
        """Asserts what the answer is; returns it."""
        assert self.status == status, f"{self.status}, and not {status}: {self.body.decode(errors='replace')}"
        if code:
            assert self.code == code, self.json
        if pointers:
            assert self.pointers() == sorted(pointers), self.json
        return self


class Connection(http.client.HTTPConnection):
    """A connection over a socket that is connected already."""

    def __init__(self, sock):
        super().__init__(HOST)
        self.sock = sock
        self.auto_open = False


class Reader(io.BufferedReader):
    """What an answer is read from: it stays open for the next one, with the bytes that were read ahead."""

    def makefile(self, _mode):
        return self

    def close(self):
        pass


class Raw:
    """A connection on which the bytes are the test's own."""

    def __init__(self, address):
        self.sock = connect(address)
        self.reader = Reader(socket.SocketIO(self.sock, "r"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def answer(self, method="GET"):
        """Reads one answer."""
        response = http.client.HTTPResponse(self.reader, method=method)
        response.begin()
        return Answer(response)

    def rest(self, seconds=DEADLINE):
        """Everything up to the end of the connection, however it ends, or what comes in so many seconds."""
        data = b""
        self.sock.settimeout(seconds)
        try:
            while chunk := self.reader.read1(65536):
                data += chunk
        except (ConnectionResetError, TimeoutError):
            assert seconds != DEADLINE, "the connection does not end"
        return data


class Client:
    def __init__(self, address):
        self.address = address

    def raw(self):
        return Raw(self.address)

    def request(self, method, target, body=None, headers=None, query=None):
        """Sends a request on a connection of its own. body: bytes as they are, anything else as JSON."""
        headers = dict(headers or {})
        if query:
            target += "?" + urlencode(query, doseq=True)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")

        connection = Connection(connect(self.address))
        try:
            connection.request(method, target, body, {k: v for k, v in headers.items() if v is not None})
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        CONTRACT.check(method, target, headers, body, answer)
        return answer

    def get(self, path, **query):
        return self.request("GET", path, query=query)

    def put(self, name, spec):
        return self.request("PUT", f"/v1/devices/{name}", {"spec": spec})

    def patch(self, name, spec, **headers):
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.request("PATCH", f"/v1/devices/{name}", {"spec": spec}, headers)

    def delete(self, name, **query):
        return self.request("DELETE", f"/v1/devices/{name}", query=query)

    def device(self, name):
        return self.get(f"/v1/devices/{name}").expect(200).json

    def create(self, name, spec):
        return self.put(name, spec).expect(201).json

    def mgmtdev(self, handle):
        return self.get(f"/v1/mgmtdevs/{handle}").expect(200).json

    def host(self):
        return self.get("/v1/host").expect(200).json

    def pages(self, **query):
        """The pages of a listing, one after the other."""
        while True:
            page = self.get("/v1/devices", **query).expect(200).json
            yield page
            if "continue" not in page:
                return
            query["continue"] = page["continue"]

    def devices(self, **query):
        """All devices, by name."""
        query.setdefault("limit", 1000)
        return {device["name"]: device for page in self.pages(**query) for device in page["items"]}

    def lines(self, **query):
        """A listing as lines; the last one is no device."""
        answer = self.request("GET", "/v1/devices", headers={"Accept": LINES}, query=query).expect(200)
        assert answer.headers["Content-Type"] == LINES
        return [json.loads(line) for line in answer.body.splitlines()]

    def drift(self, **query):
        """What is not as it should be, in order."""
        items = []
        while True:
            page = self.get("/v1/drift", **query).expect(200).json
            items += page["items"]
            if "continue" not in page:
                return items
            query = {**query, "refresh": "false", "continue": page["continue"]}

    def repair(self, dry_run=False, **body):
        """The results, by name."""
        query = "?dry_run=true" if dry_run else ""
        answer = self.request("POST", f"/v1/drift:repair{query}", body).expect(200)
        return {result["name"]: result for result in answer.json["results"]}

    def adopt(self, name, **spec):
        return self.request("POST", f"/v1/devices/{name}:adopt", {"spec": spec})

    def put_pool(self, name, spec, status=201):
        return self.request("PUT", f"/v1/pools/{name}", {"spec": spec}).expect(status).json

    def pool(self, name):
        return self.get(f"/v1/pools/{name}").expect(200).json

    def wait_for_pool(self, name, n_free):
        """Until so many are free, and none is being made."""
        poll(f"pool of {n_free}", lambda: (lambda status: status["free"] == n_free and not status["making"])(
            self.pool(name)["status"]))

    def claim(self, pool, spec=None, key=None):
        return self.request("POST", f"/v1/pools/{pool}:claim", {"spec": spec or {}}, {"Idempotency-Key": key})

    def give_back(self, pool, name, uid=None, key=None):
        body = {"device": name, **({"uid": uid} if uid else {})}
        return self.request("POST", f"/v1/pools/{pool}:return", body, {"Idempotency-Key": key})

    def revision(self):
        return self.get("/v1/devices", limit=1).expect(200).json["revision"]
