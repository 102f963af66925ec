# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks on simulated devices share: daemons with many devices, and load on them."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/daemon"))

from client import Connection, connect  # noqa: E402
import daemon as daemons  # noqa: E402
from support import poll  # noqa: E402

N_CONNECTIONS = 64
SPEC = {"class": "net"}
BODY = json.dumps({"spec": SPEC})
MINIMAL = {"Prefer": "return=minimal"}
# Room for a million, and a log that says no more than it must.
CONFIG = "[daemon]\nlog_level = warning\n[sim sim0]\nmax_vqs = 4\n"
BATCH = 10_000
PAGE = 1000
PATIENCE_SEC = 600
NEXT_PAGE = re.compile(rb'"continue":"([^"]+)"')


# As the service has it.
UNIT = (TREE / "systemd/hsvdpad.service.in").read_text(encoding="utf-8")
ENVIRONMENT = dict(line.split("=", 1) for line in re.findall("^Environment=(.*)$", UNIT, re.MULTILINE))


class Daemon(daemons.Daemon):
    @staticmethod
    def environment(**more):
        return daemons.Daemon.environment(**ENVIRONMENT, **more)


def program(name):
    path = Path.cwd() / "tests/bench" / name
    if not path.exists():
        sys.exit(f"{path} is not there: make bench-programs")
    return str(path)


def run_json(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=PATIENCE_SEC).stdout)


def load(address, method, target, status, n, body=None, **options):
    """Runs the load generator: options are its letters."""
    words = [program("load"), "-n", str(n)]
    for letter, value in {"c": N_CONNECTIONS, "b": body, **options}.items():
        if value is not None:
            words += [f"-{letter}", str(value)]
    return run_json(*words, str(address), method, target, str(status))


@contextlib.contextmanager
def directory():
    path = Path(tempfile.mkdtemp(prefix="hsvdpa-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def daemon(config=CONFIG, n_devices=0):
    """A daemon that has so many devices, d0 and on."""
    with directory() as path:
        it = Daemon(path, config)
        it.start()
        try:
            fill(it, 0, n_devices)
            yield it
        finally:
            it.process.terminate()
            it.process.wait(PATIENCE_SEC)


def same_spec(_):
    return SPEC


def own_spec(i):
    """Of its own for each of some millions."""
    return {**SPEC, "owner": f"vm:{i}", "net": {"mac": f"02:00:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"}}


def fill(it, first, n, spec=same_spec):
    """Makes devices in batches; returns how long each took."""
    seconds = []
    for start in range(first, first + n, BATCH):
        devices = [{"name": f"d{i}", "spec": spec(i)} for i in range(start, min(start + BATCH, first + n))]
        seconds.append(create_batch(it, {"devices": devices}))
    return seconds


def fill_alike(it, first, n):
    """The same in few words: what all have is said once, and the answer tells of no more than what was done."""
    seconds = []
    for start in range(first, first + n, BATCH):
        devices = [{"name": f"d{i}"} for i in range(start, min(start + BATCH, first + n))]
        seconds.append(create_batch(it, {"spec": SPEC, "devices": devices}, **MINIMAL))
    return seconds


def create_batch(it, batch, **header):
    """How long the answer takes to be there, whole; each of its results must be good."""
    data = json.dumps(batch).encode()
    connection = Connection(connect(it.socket))
    connection.sock.settimeout(PATIENCE_SEC)
    begin = time.monotonic()
    connection.request("POST", "/v1/devices:batchCreate", data, {"Content-Type": "application/json", **header})
    answer = connection.getresponse()
    text = answer.read()
    seconds = time.monotonic() - begin
    connection.close()
    assert answer.status == 200 and text.count(b'"status":201') == len(batch["devices"]), text[:1000]
    return seconds


def make_pool(it, name, n):
    """A pool that has n free devices, and is not filled again before they are gone."""
    client = it.client()
    client.request("PUT", f"/v1/pools/{name}", {"spec": {"device": SPEC, "low": 1, "high": n}}).expect(201)
    poll("full pool", lambda: client.pool(name)["status"]["free"] >= n, PATIENCE_SEC)


def list_all(it):
    """All pages by curl, one after the other: how many devices, and seconds."""
    begin, token, n = time.monotonic(), "", 0
    while token is not None:
        url = f"http://localhost/v1/devices?limit={PAGE}" + (f"&continue={token}" if token else "")
        text = subprocess.run(["curl", "-sS", "--unix-socket", str(it.socket), url], check=True, stdout=subprocess.PIPE).stdout
        next_page = NEXT_PAGE.search(text)
        token = next_page and next_page[1].decode()
        n += text.count(b'"generation":')
    return n, time.monotonic() - begin


def list_lines(it):
    """All devices as lines, by one curl: how many devices, and the seconds of another one, which nobody reads."""
    command = ["curl", "-sS", "-H", "Accept: application/x-ndjson", "--unix-socket", str(it.socket), "http://localhost/v1/devices"]
    n = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.count(b'"generation":')
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return n, time.monotonic() - begin


def resident_kib(it):
    """At rest: a second after a large batch the daemon gives back what that has needed."""
    time.sleep(2)
    text = Path(f"/proc/{it.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:"))
