# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon has to do with systemd: sockets that it is given, what it tells, reload, watchdog."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from client import Client
from support import DEADLINE, patient, poll, sim_section

NET = {"class": "net"}

# Hands descriptor 3 on, as the service manager does: the variables name the process that becomes the daemon.
GIVE = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh"]


class Notify:
    """What a service manager is told."""

    def __init__(self, directory):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(DEADLINE)
        self.told = []

    def next(self):
        """The next message, as a dictionary."""
        self.told.append(dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines()))
        return self.told[-1]

    def wait(self, key, value=None):
        """The next message that has the key, with the value."""
        while True:
            message = self.next()
            if key in message and value in (None, message[key]):
                return message


@pytest.fixture
def managed(make_daemon):
    """Starts a daemon that tells a service manager of ours; the fixture is a function."""
    made = []

    def start(config="", **environment):
        daemon = make_daemon(config)
        notify = Notify(daemon.directory)
        made.append(notify.socket)
        daemon.spawn(NOTIFY_SOCKET=str(notify.path), **environment)
        notify.wait("READY")
        return daemon, notify

    yield start
    for each in made:
        each.close()


def watchdog(seconds):
    """No WATCHDOG_PID: whoever is started so is meant."""
    return {"WATCHDOG_USEC": str(int(seconds * 1_000_000))}


def test_status(managed):
    daemon, notify = managed(**watchdog(0.6))
    assert notify.told[-1]["STATUS"] == "Ready: 0 devices on 1 management device"
    daemon.client().create("d", NET)
    daemon.client().create("e", NET)
    assert notify.wait("STATUS")["STATUS"] == "Ready: 2 devices on 1 management device"
    daemon.terminate()
    stopping = notify.wait("STOPPING")
    assert stopping["STATUS"] == "Stopping: 0 operations under way"
    # Longer than the daemon waits itself, so that it is not killed meanwhile.
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) > 30_000_000
    assert daemon.wait() == 0


def test_a_slow_start_may_take_its_time(make_daemon):
    daemon = make_daemon()
    client = daemon.start()
    for n in range(10):
        client.create(f"d{n}", NET)
    daemon.stop()
    daemon.configure(sim_section("sim0", latency_usec=200_000))
    notify = Notify(daemon.directory)
    with notify.socket:
        daemon.spawn(NOTIFY_SOCKET=str(notify.path), **watchdog(0.6))
        assert int(notify.wait("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"]) >= 10_000_000
        assert not any("READY" in message for message in notify.told)
        assert notify.wait("STATUS")["STATUS"].startswith("Starting: 10 devices")
        notify.wait("READY")


def listening_socket(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(64)
    return sock


def spawn_with(daemon, sock, *arguments):
    """Starts the daemon with the socket as descriptor 3."""
    assert daemon.process is None
    with open(daemon.log_path, "ab") as log:
        daemon.process = subprocess.Popen(
            [*GIVE, *daemon.command(*arguments)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=daemon.environment(), pass_fds=[3], preexec_fn=lambda: os.dup2(sock.fileno(), 3))


def test_socket_that_is_given(make_daemon):
    """Clients wait while there is no daemon, and are answered by the next one. The socket is not ours to remove."""
    daemon = make_daemon()
    path = daemon.directory / "given.sock"
    with listening_socket(path) as sock:
        client, answers = Client(path), []
        for name in ("a", "b"):
            waiting = threading.Thread(target=lambda: answers.append(client.get("/healthz").status))
            waiting.start()
            spawn_with(daemon, sock)
            waiting.join()
            poll("ready daemon", lambda: client.get("/readyz").status == 200)
            client.create(name, NET)
            # The one of the configuration is served, too.
            assert daemon.client().device(name)["name"] == name
            daemon.stop()
            assert path.exists() and not daemon.socket.exists()
        assert answers == [200, 200]


def test_socket_that_is_given_at_a_configured_address(make_daemon):
    daemon = make_daemon()
    daemon.socket.parent.mkdir()
    with listening_socket(daemon.socket) as sock:
        spawn_with(daemon, sock)
        poll("ready daemon", daemon.is_ready)
        daemon.stop()
        assert daemon.socket.exists()


def given_connected():
    return socket.socketpair()[0]


def given_tcp():
    sock = socket.socket()
    sock.bind(("0.0.0.0", 0))
    sock.listen()
    return sock


@pytest.mark.parametrize("make, word", [(given_connected, "descriptor 3"), (given_tcp, "loopback")])
def test_socket_that_cannot_be_served(make_daemon, make, word):
    daemon = make_daemon()
    with make() as sock:
        spawn_with(daemon, sock)
        assert daemon.wait() == 1
    assert word in daemon.log()


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="there is no systemd-socket-activate")
def test_systemd_socket_activate(make_daemon):
    daemon = make_daemon()
    path = daemon.directory / "given.sock"
    with open(daemon.log_path, "ab") as log:
        daemon.process = subprocess.Popen(["systemd-socket-activate", f"--listen={path}", *daemon.command()],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=daemon.environment())
    poll("socket", path.exists)
    client = Client(path)
    poll("ready daemon", lambda: client.get("/readyz").status == 200)
    client.create("d", NET)


def test_restart_under_load(make_daemon):
    """Whoever asks while the daemon is started again waits; nobody is refused."""
    daemon = make_daemon()
    path = daemon.directory / "given.sock"
    statuses, failures, end = [], [], threading.Event()

    def ask(number):
        client = Client(path)
        try:
            while not end.is_set():
                statuses.append(client.get("/v1/devices").status)
                statuses.append(client.put(f"d{number}", NET).status)
                statuses.append(client.delete(f"d{number}").status)
        except Exception as e:
            failures.append(e)

    with listening_socket(path) as sock:
        spawn_with(daemon, sock)
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            n = len(statuses)
            poll("answers", lambda: len(statuses) > n + 50 or failures)
            daemon.stop()
            spawn_with(daemon, sock)
        end.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert set(statuses) == {200, 201, 204}


def reload(daemon, notify, config):
    """Returns what is told at the end."""
    daemon.configure(config)
    daemon.process.send_signal(signal.SIGHUP)
    before = notify.wait("RELOADING", "1")
    assert abs(int(before["MONOTONIC_USEC"]) / 1e6 - time.monotonic()) < DEADLINE
    return notify.wait("READY", "1")


def test_reload(managed):
    daemon, notify = managed("[limits]\nmax_body_bytes = 2000\n")
    client = daemon.client()
    body = {"spec": {**NET, "owner": "x" * 200, "labels": {f"l{n}": "x" * 60 for n in range(25)}}}
    client.request("PUT", "/v1/devices/d", body).expect(413)

    after = reload(daemon, notify, "[daemon]\nlog_level = debug\n[limits]\nmax_body_bytes = 100000\nmax_devices = 1\n")
    assert after["STATUS"].startswith("Ready: ")
    client.request("PUT", "/v1/devices/d", body).expect(201)
    assert client.host()["limits"]["max_body_bytes"] == 100000
    assert client.host()["limits"]["max_devices"] == 1
    client.put("e", NET).expect(409, "limit-reached")
    assert "max_body_bytes is '100000' now" in daemon.log()

    reload(daemon, notify, "")
    client.create("e", NET)


def test_reload_of_what_takes_a_restart(managed):
    daemon, notify = managed("[daemon]\nstop_timeout_sec = 7\n")
    log = len(daemon.log())
    reload(daemon, notify, "[daemon]\nbackend = kernel\nlisten = unix:/nowhere\n[limits]\nmax_connections = 5\n"
           + sim_section("other"))
    said = daemon.log()[log:]
    for word in ("listen", "max_connections", "[sim other]"):
        assert f"{word} " in said and "restart" in said
    # The command line stands over the file, also now.
    assert "backend" not in said
    assert "stop_timeout_sec is '30' now" in said
    daemon.client().create("d", NET)


@pytest.mark.parametrize("text", ["[daemon]\nlog_level = loud\n", "nonsense\n", "[limits]\nmax_devices = 0\n"])
def test_reload_of_a_wrong_file(managed, text):
    daemon, notify = managed("[limits]\nmax_devices = 5\n")
    after = reload(daemon, notify, text)
    assert "wrong" in after["STATUS"]
    assert f"{daemon.config_path}:" in daemon.log()
    assert daemon.client().host()["limits"]["max_devices"] == 5
    daemon.client().create("d", NET)
    assert reload(daemon, notify, "")["STATUS"].startswith("Ready: 1 device ")


def test_idle_timeout_changes(managed):
    daemon, notify = managed()
    reload(daemon, notify, "[limits]\nidle_timeout_sec = 1\n")
    with daemon.client().raw() as raw:
        raw.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().expect(200)
        # Ends by itself.
        assert raw.rest() == b""


def test_reload_under_load(managed):
    daemon, notify = managed()
    outcomes, end = [], threading.Event()

    def work(number):
        client = daemon.client()
        try:
            while not end.is_set():
                outcomes.append(client.put(f"d{number}", NET).status)
                outcomes.append(client.delete(f"d{number}").status)
        except Exception as e:
            outcomes.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        reload(daemon, notify, f"[limits]\nidle_timeout_sec = {10 + n}\n")
    end.set()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {201, 204}


def test_watchdog_is_fed(managed):
    _, notify = managed(**watchdog(0.3))
    begin = time.monotonic()
    for _ in range(5):
        notify.wait("WATCHDOG", "1")
    assert time.monotonic() - begin < patient(5)


def slow_device(seconds):
    return ("[daemon]\nworker_timeout_sec = 1\n" + sim_section("sim0", latency_usec=int(1_000_000 * seconds))
            + sim_section("sim1"))


def hang(daemon):
    """Makes the worker hang in one call; returns the answer of who waits for it, when there is one."""
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(daemon.client().put("d", {**NET, "mgmtdev": "sim0"})))
    thread.start()

    def join():
        thread.join()
        return answers[0]

    return join


def test_watchdog_and_a_worker_that_hangs(managed):
    """It is not fed any more but set off; who waits is told; and nothing is in the way of the next start."""
    daemon, notify = managed(slow_device(30), **watchdog(1))
    daemon.client().create("e", {**NET, "mgmtdev": "sim1"})
    join = hang(daemon)
    notify.wait("WATCHDOG", "trigger")
    join().expect(503, "shutting-down")
    assert daemon.wait() == 1
    assert "The backend's thread has been in one call" in daemon.log()
    assert not daemon.socket.exists()

    daemon.configure("")
    client = daemon.start()
    assert client.device("e")["status"]["state"] == "lost"
    assert client.device("d")["status"]["state"] == "ready"


def test_without_a_watchdog_a_hanging_worker_is_complained_of(managed):
    daemon, _ = managed(slow_device(2))
    join = hang(daemon)
    poll("complaint", lambda: "The backend's thread has been in one call" in daemon.log())
    # Reading goes on all the same.
    assert daemon.client().host()["operations"] == 1
    join().expect(201)
