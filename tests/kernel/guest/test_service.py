# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a service of systemd."""

import json
import os
import pathlib
import signal
import subprocess
import threading

import rest
import service
import vdpa
from agreement import agree
from rest import block, net


def run_program(*arguments):
    """Runs the daemon by hand, to the end that is to come by itself; returns its exit status and what it said."""
    done = subprocess.run([service.PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=vdpa.DEADLINE)
    return done.returncode, done.stderr


def test_start_and_stop(api):
    device = api.create("d", net(1))
    service.stop()
    assert service.show("ActiveState") == "inactive" and service.show("Result") == "success"
    assert not pathlib.Path(rest.SOCKET).exists()
    # Nobody takes away from its user what the daemon has made.
    assert vdpa.exists("d")

    service.start()
    # Started is who takes work: with Type=notify that is the daemon's own word.
    assert service.show("Type") == "notify" and service.is_active()
    assert api.is_ready()
    assert agree()["d"] == device


def test_second_daemon_leaves_the_first_alone(api):
    device = api.create("d", net(1))
    first = service.pid()
    status, complaint = run_program()
    assert status == service.EXIT_OTHER_DAEMON and complaint
    assert service.pid() == first
    assert agree()["d"] == device


def test_daemon_that_dies_is_started_again(api):
    device = api.create("d", net(1))
    for end in (signal.SIGKILL, signal.SIGABRT):
        first = service.pid()
        service.forgive()
        os.kill(first, end)
        service.wait_restarted(first)
        assert agree()["d"] == device


def test_what_does_not_get_better_is_not_tried_again(api):
    service.stop()
    service.CONFIG.parent.mkdir(exist_ok=True)
    service.CONFIG.write_text("[daemon]\nno_such_key = 1\n")
    try:
        status, complaint = run_program("--check-config")
        assert status == service.EXIT_CONFIG and f"{service.CONFIG}:2" in complaint
        service.forgive()
        assert subprocess.run(["systemctl", "start", service.UNIT], capture_output=True).returncode
        assert service.show("ExecMainStatus") == str(service.EXIT_CONFIG)
        assert service.show("NRestarts") == "0" and not service.is_active()
    finally:
        service.CONFIG.unlink()
    service.start()
    agree()


def test_damaged_inventory_is_not_touched(api):
    api.create("d", net(1))
    service.stop()
    kept = service.DATABASE.read_bytes()
    damaged = b"This is not a database. " * 1000
    service.DATABASE.write_bytes(damaged)
    service.forgive()
    assert subprocess.run(["systemctl", "start", service.UNIT], capture_output=True).returncode
    assert service.show("ExecMainStatus") == str(service.EXIT_DATABASE)
    assert service.DATABASE.read_bytes() == damaged
    assert vdpa.exists("d")

    service.DATABASE.write_bytes(kept)
    service.start()
    agree()


def test_daemon_that_may_not(api):
    """It says what it lacks, and neither dies nor tries."""
    api.create("d", net(1))
    with service.drop_in("[Service]\nCapabilityBoundingSet=~CAP_NET_ADMIN\nAmbientCapabilities=~CAP_NET_ADMIN\n"):
        service.restart()
        host = api.host()
        assert not host["available"] and "CAP_NET_ADMIN" in host["reason"]
        assert "CAP_NET_ADMIN" in api.get("/readyz").expect(503, "backend-unavailable").detail
        api.delete("d").expect(503, "backend-unavailable")
        assert vdpa.exists("d")
    service.restart()
    agree()


def test_watchdog_sees_a_daemon_that_hangs(api):
    device = api.create("d", block())
    with service.drop_in("[Service]\nWatchdogSec=5\n"):
        service.restart()
        first = service.pid()
        os.kill(first, signal.SIGSTOP)
        service.wait_restarted(first)
    assert agree()["d"] == device
    service.restart()


def start_seconds():
    """From the start of the process until it was ready."""
    began, ready = (int(service.show(f"{what}Monotonic")) for what in ("ExecMainStartTimestamp", "ActiveEnterTimestamp"))
    return (ready - began) / 1_000_000


def test_start_is_quick(api):
    """Within a second, if the machine has time for it."""
    seconds = []
    while len(seconds) < 5 and (not seconds or min(seconds) >= 1):
        service.restart()
        seconds.append(start_seconds())
    print(f"ready {min(seconds):.3f} s after the start of the process")
    # Less than one, if nobody else wants the processors of the machine that this machine runs on.
    assert min(seconds) < 5, seconds


def test_what_waits_for_devices_starts_after_they_are_there(api):
    device = api.create("d", net(1))
    vdpa.run("systemctl", "stop", "hsvdpa-restored.target")
    service.restart()
    assert vdpa.run("systemctl", "is-active", "hsvdpa-restored.target").strip() == "active"
    assert agree()["d"] == device


class Load:
    """Clients that make and delete a device each, over and over, every request on a connection of its own."""

    def __init__(self, clients=4):
        self.outcomes, self._end = [], threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, *request):
        connection = rest.Connection()
        try:
            getattr(rest.Api(connection.ask), request[0])(*request[1:]).expect(201 if request[0] == "put" else 204)
            self.outcomes.append(None)
        except Exception as e:
            self.outcomes.append(e)
        finally:
            connection.close()

    def _work(self, number):
        while not self._end.is_set():
            self._ask("put", f"d{number}", net(number))
            self._ask("delete", f"d{number}")

    def go_on(self):
        """Waits until there was a little more of it."""
        n = len(self.outcomes) + 20
        vdpa.wait_for(lambda: len(self.outcomes) >= n)

    def failures(self):
        return [outcome for outcome in self.outcomes if outcome]


def test_restart_under_load(api):
    with Load() as load:
        for _ in range(3):
            load.go_on()
            service.systemctl("restart", service.UNIT)
        load.go_on()
    assert load.failures() == []
    agree()


def test_reload_under_load(api):
    first = service.pid()
    try:
        with Load() as load:
            for n in range(3):
                load.go_on()
                service.CONFIG.parent.mkdir(exist_ok=True)
                service.CONFIG.write_text(f"[limits]\nmax_devices = {1000 + n}\n")
                service.systemctl("reload", service.UNIT)
            load.go_on()
        assert load.failures() == []
        assert api.host()["limits"]["max_devices"] == 1002
        assert service.pid() == first and service.is_active()

        service.CONFIG.write_text("[limits]\nmax_devices = none\n")
        assert subprocess.run(["systemctl", "reload", service.UNIT], capture_output=True).returncode
        assert api.host()["limits"]["max_devices"] == 1002
    finally:
        service.CONFIG.unlink()
    service.systemctl("reload", service.UNIT)
    agree()


def test_drop_in_of_the_configuration(api):
    path = service.CONFIG.with_name("hsvdpad.conf.d") / "10-test.conf"
    path.parent.mkdir(parents=True)
    path.write_text("[limits]\nmax_devices = 3\n")
    try:
        service.systemctl("reload", service.UNIT)
        vdpa.wait_for(lambda: api.host()["limits"]["max_devices"] == 3)
        assert f"# {path}:2\nmax_devices = 3" in vdpa.run(service.PROGRAM, "--print-config")
    finally:
        path.unlink()
        path.parent.rmdir()
    service.systemctl("reload", service.UNIT)


def test_drop_ins_of_three_places(api):
    """Read in the order of their names; of two with one name, the administrator's, else that of /run."""
    places = [pathlib.Path(top) / "hsvdpa/hsvdpad.conf.d" for top in ("/usr/lib", "/run", "/etc")]
    before = api.host()["limits"]["max_devices"]
    written = []
    try:
        for n, place in enumerate(places):
            place.mkdir(parents=True, exist_ok=True)
            for name in ("10-all.conf", f"{30 - n}-own.conf"):
                written.append(place / name)
                written[-1].write_text(f"[limits]\nmax_devices = {100 * (n + 1) + (name[0] != '1')}\n")
        # 10-all of /etc, then /etc's own 28-, /run's 29- and /usr/lib's 30-.
        for top, value in (("/usr/lib", 101), ("/run", 201), ("/etc", 301), ("/etc", 300), ("/run", 200), ("/usr/lib", 100)):
            last = next(path for path in written if path.is_relative_to(top) and path.exists()
                        and (path.name[0] != "1") == (value % 100))
            assert f"# {last}:2\nmax_devices = {value}\n" in vdpa.run(service.PROGRAM, "--print-config")
            service.systemctl("reload", service.UNIT)
            vdpa.wait_for(lambda: api.host()["limits"]["max_devices"] == value)
            last.unlink()
    finally:
        for path in written:
            path.unlink(missing_ok=True)
        for place in places:
            place.rmdir()
    service.systemctl("reload", service.UNIT)
    vdpa.wait_for(lambda: api.host()["limits"]["max_devices"] == before)


def curl_tcp(url, *options):
    """The exit status of curl, and what it was answered: the HTTP status and the body."""
    done = subprocess.run(["curl", "--silent", "--write-out", "\\n%{http_code}", *options, url], capture_output=True,
                          text=True, timeout=vdpa.DEADLINE)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, int(status), body


def test_tcp_by_a_drop_in_of_the_socket(api):
    """The sandbox lets the daemon make no such socket; systemd can."""
    device, url = api.create("d", net(1)), "http://127.0.0.1:8080/v1/devices/d"
    with service.drop_in("[Socket]\nListenStream=127.0.0.1:8080\nListenStream=[::1]:8080\n", service.SOCKET_UNIT):
        service.restart()
        for each in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::1]")):
            code, status, body = curl_tcp(each)
            assert (code, status) == (0, 200) and json.loads(body)["uid"] == device["uid"]
        assert curl_tcp(url, "--header", "Host: example.org")[1] == 403
        # The socket stays while the daemon is started again.
        service.systemctl("restart", service.UNIT)
        assert curl_tcp(url)[1] == 200
        assert agree()["d"] == device
    service.restart()
    assert curl_tcp(url)[0] == 7

    # The daemon does not serve the network, however it comes by the socket.
    cursor = service.journal_cursor()
    with service.drop_in("[Socket]\nListenStream=0.0.0.0:8080\n", service.SOCKET_UNIT):
        service.stop()
        service.forgive()
        assert subprocess.run(["systemctl", "start", service.UNIT], capture_output=True).returncode
        vdpa.wait_for(lambda: "TCP is for loopback addresses only" in service.journal(cursor))
        service.stop()
    service.start()
    agree()


def journal_fields(*matches):
    # Not from a cursor on: of those that match, journalctl would leave out the first.
    lines = vdpa.run("journalctl", "--output=json", "--boot", "--unit", service.UNIT, *matches)
    return [json.loads(line) for line in lines.splitlines()]


def test_journal_says_what_it_is_about(api):
    body = json.dumps({"spec": net(1, owner="vm:42")})
    answer = rest.curl("PUT", "/v1/devices/d", body, {"X-Request-ID": "test-4711"}).expect(201)
    assert answer.headers["X-Request-ID"] == "test-4711"
    message = vdpa.wait_for(lambda: journal_fields("REQUEST_ID=test-4711"))[0]
    assert message["DEVICE"] == "d" and message["OWNER"] == "vm:42" and message["MGMTDEV"] == "vdpasim_net"
    assert "ready" in message["MESSAGE"]
