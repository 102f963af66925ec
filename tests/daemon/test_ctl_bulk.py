# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl with many devices, and with patience."""

import json
import time

import pytest

from ctl import NOT_FOUND, OK, PARTIAL, PROGRAM, REFUSED, TIMEOUT, UNREACHABLE, USAGE, Ctl
from support import DEADLINE, poll, sim_section

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

CONFIG = sim_section("sim0", classes="net,block", max_devices=400)


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def hold(daemon):
    """Opens the endpoint of a device, as far as the model knows; closes it again."""
    directory = daemon.runtime_dir / "sim-open"

    def hold(name, is_open):
        if is_open:
            (directory / name).mkdir()
        else:
            (directory / name).rmdir()

    return hold


def test_names(ctl, client):
    lines = ctl("device", "create", "a", "b", "c", "--class=net", "--label=x=1").splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["a", "b", "c"]
    assert all(client.device(name)["spec"]["labels"] == {"x": "1"} for name in "abc")
    assert sorted(ctl("device", "delete", "a", "b", "c").split()) == ["a:", "b:", "c:"] + 3 * ["deleted"]
    assert client.devices() == {}


def test_count(ctl, client):
    answer = ctl.json("device", "create", "--count=150", "--prefix=vm", "--class=block", "--jobs=16")
    names = [f"vm{i}" for i in range(1, 151)]
    assert [result["name"] for result in answer["results"]] == names
    assert all(result["status"] == 201 for result in answer["results"])
    assert all(result["device"] == client.device(result["name"]) for result in answer["results"][::50])
    assert sorted(client.devices()) == sorted(names)

    again = ctl.json("device", "create", "--count=1", "--prefix=vm", "--class=block")
    assert [result["status"] for result in again["results"]] == [200]
    unnamed = ctl.json("device", "create", "--count=3", "--class=block")
    assert all(client.device(result["name"]) == result["device"] for result in unnamed["results"])


def test_a_list_can_be_made_again(ctl, client, tmp_path):
    ctl("device", "create", "--count=20", "--prefix=d", "--class=net", "--owner=vm:1")
    listed = ctl("device", "list", "-o", "json")
    path = tmp_path / "devices.json"
    path.write_text(listed)

    assert len(ctl("device", "delete", "-f", str(path)).splitlines()) == 20
    assert client.devices() == {}
    # Their uids are those of devices that are gone, and to delete those is a success. The others stay.
    again = ctl.json("device", "create", "-f", "-", stdin=listed)
    assert [result["status"] for result in again["results"]] == 20 * [201]
    ctl("device", "delete", "--file", str(path))
    assert len(client.devices()) == 20


FILES = [
    '{"name": "a", "spec": {"class": "net"}}\n{"name": "b", "spec": {"class": "block"}}\n',
    '[{"name": "a", "spec": {"class": "net"}}, {"name": "b"}]',
    '{"devices": [{"name": "a", "spec": {"class": "net"}}, "b"]}',
    ' "a"\n"b" ',
]


@pytest.mark.parametrize("text", FILES)
def test_files(ctl, client, text):
    ctl("device", "create", "--file=-", "--class=net", "--label=k=v", stdin=text)
    assert sorted(client.devices()) == ["a", "b"]
    assert client.device("b")["spec"]["labels"] == {"k": "v"}
    ctl("device", "delete", "--file=-", stdin=text)
    assert client.devices() == {}


BAD_FILES = [
    ("{", "item 0"), ("[1]", "item 1"), ('["a", {}]', "item 2"), ('{"name": 1}', "item 1"), ('{"spec": []}', "item 1"),
    ('{"name": "a", "class": "net"}', "item 1"), ('{"name": "a", "name": "b"}', "duplicate"), ("nonsense", "item 0"),
]


@pytest.mark.parametrize("text, place", BAD_FILES)
def test_bad_files(ctl, client, text, place):
    assert place in ctl("device", "create", "--file=-", "--class=net", stdin=text, expect=USAGE)
    assert client.devices() == {}


USAGES = [
    "device create a --count=2 --class=net", "device create --count=0 --class=net", "device create --prefix=x --class=net",
    "device create --count=2 --mac=02:00:00:00:00:01 --class=net", "device create a b --dry-run --class=net",
    "device create a --class=net --jobs=0", "device create a --class=net --jobs=65", "device create -f /nonexistent",
    "device delete --uid=x", "device delete a b --uid=x", "device wait a --for=bogus", "device wait",
    "device delete -f - --uid=x",
]


@pytest.mark.parametrize("line", USAGES)
def test_wrong_command_lines(ctl, client, line):
    ctl(*line.split(), expect=USAGE)
    assert client.devices() == {}


def test_some_fail(ctl, client, hold):
    ctl("device", "create", "a", "b", "c", "--class=net")
    hold("b", True)
    result = ctl.run("device", "delete", "a", "b", "none", "c")
    assert result.returncode == PARTIAL
    assert sorted(result.stdout.splitlines()) == ["a: deleted", "c: deleted"]
    assert "device b:" in result.stderr and "device none:" in result.stderr
    assert result.stderr.endswith("hsvdpactl: 2 deleted, 2 failed.\n")

    result = ctl.run("device", "delete", "b", "none", "-o", "json")
    assert result.returncode in (REFUSED, NOT_FOUND)
    b, none = json.loads(result.stdout)["results"]
    assert (b["name"], b["status"], b["code"], b["errors"]) == ("b", 409, "in-use", [])
    assert (none["status"], none["code"]) == (404, "device-not-found")
    hold("b", False)


def test_hints_are_not_repeated(ctl):
    result = ctl.run("device", "delete", *(f"none{i}" for i in range(10)))
    assert result.returncode == NOT_FOUND
    assert result.stderr.count("There is no device") == 10 and result.stderr.count("Hint:") == 1


def test_no_room_for_all(ctl, client):
    result = ctl.run("device", "create", "--count=450", "--prefix=d", "--class=net", "--jobs=4")
    assert result.returncode == PARTIAL
    assert "400 created, 50 failed" in result.stderr
    assert len(client.devices()) == 400
    assert ctl.run("device", "delete", "-f", "-", stdin=ctl("device", "list", "-o", "json")).returncode == OK


def test_without_a_daemon(ctl, daemon):
    daemon.stop()
    result = ctl.run("device", "create", "--count=100", "--class=net", "-o", "json", "--jobs=1")
    assert result.returncode == UNREACHABLE and "99 not tried" in result.stderr
    codes = [item["code"] for item in json.loads(result.stdout)["results"]]
    assert codes == ["no-answer"] + 99 * ["not-tried"]


def test_wait_for_the_daemon(ctl, daemon):
    daemon.stop()
    process = ctl.spawn("device", "create", "d", "--class=net", "--wait")
    time.sleep(0.2)
    assert process.poll() is None
    client = daemon.start()
    out, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == OK, error
    assert out.startswith("d: ") and client.device("d")["status"]["state"] == "ready"


def test_wait_until_closed(ctl, client, hold):
    client.create("d", {"class": "net"})
    hold("d", True)
    assert "in-use" in ctl("device", "delete", "d", "--wait", "--timeout=1", expect=TIMEOUT)
    process = ctl.spawn("device", "delete", "d", "--wait")
    time.sleep(0.2)
    assert process.poll() is None
    hold("d", False)
    out, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, error) == (OK, "d: deleted\n", "")


def test_atomic(ctl, client):
    made = ctl("device", "create", "--count=5", "--prefix=vm", "--class=net", "--atomic")
    assert [line.split(";")[0] for line in made.splitlines()] == [f"vm{i}: created" for i in range(1, 6)]
    again = ctl("device", "create", "vm1", "x", "--class=net", "--atomic")
    assert [line.split(";")[0] for line in again.splitlines()] == ["vm1: is there already", "x: created"]
    refused = ctl("device", "create", "y", "vm1", "--class=block", "--atomic", expect=REFUSED)
    assert "device vm1: " in refused and "(already-exists)" in refused and "none was created" in refused
    assert "device y" not in refused
    poll("devices that are gone", lambda: "y" not in client.devices())
    as_json = ctl.run("device", "create", "z", "vm1", "--class=block", "--atomic", "-o", "json")
    assert as_json.returncode == REFUSED
    assert [each["problem"]["code"] for each in json.loads(as_json.stdout)["results"]] == ["batch-failed", "already-exists"]
    assert len(ctl.json("device", "create", "--count=3", "--class=net", "--atomic")["results"]) == 3
    for more in ("--wait", "--dry-run"):
        assert "--atomic goes with neither" in ctl("device", "create", "--class=net", "--atomic", more, expect=USAGE)


def test_wait_for_a_state(ctl, client):
    process = ctl.spawn("device", "wait", "d")
    time.sleep(0.2)
    assert process.poll() is None
    client.create("d", {"class": "net"})
    assert process.communicate(timeout=DEADLINE) == ("d: ready\n", "") and process.returncode == OK

    assert ctl("device", "wait", "d", "--for=ready") == "d: ready\n"
    assert ctl.json("device", "wait", "d") == {"results": [{"name": "d", "state": "ready"}]}
    late = ctl.run("device", "wait", "d", "e", "--timeout=1", "-o", "yaml")
    assert late.returncode == TIMEOUT and late.stdout.split() == [
        "results:", "-", "name:", "d", "state:", "ready", "-", "name:", "e", "state:", "gone"]
    assert "is ready, and not gone" in ctl("device", "wait", "d", "--for=gone", "--timeout=1", expect=TIMEOUT)
    client.delete("d").expect(204)
    assert ctl("device", "wait", "d", "--for=gone") == "d: gone\n"


def test_a_bar_on_a_terminal(ctl, client):
    seen, code = ctl.on_terminal("device", "create", "--count=300", "--prefix=d", "--class=net")
    assert code == OK
    assert "\u2588" in seen and " of 300 created" in seen and "\033[32m" in seen
    assert seen.endswith("hsvdpactl: 300 created.\r\n")
    assert "d1: created" not in seen
    seen, code = ctl.on_terminal("device", "delete", "d1", "d2", "--color=never")
    assert sorted(seen.split("\r\n")) == ["", "d1: deleted", "d2: deleted"]


def test_progress_in_a_pipe(ctl):
    result = ctl.run("device", "delete", "--missing-ok", *(f"d{i}" for i in range(1000)))
    assert result.returncode == OK and len(result.stdout.splitlines()) == 1000
    assert [f"hsvdpactl: {n} of 1000 deleted" for n in range(100, 1000, 100)] == result.stderr.splitlines()
