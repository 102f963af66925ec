# SPDX-License-Identifier: LGPL-2.1-or-later
"""The start: what clients see of it, the socket, and what a service manager is told."""

import socket

from support import DEADLINE, patient, poll, sim_section

NET = {"class": "net"}


def start_slowly(daemon, names):
    """Makes devices; then the daemon starts again and takes its time to look at each."""
    client = daemon.start()
    before = {name: client.create(name, NET) for name in names}
    daemon.stop()
    daemon.configure(sim_section("sim0", latency_usec=patient(100_000)))
    daemon.spawn()
    poll("socket", daemon.is_listening)
    return before


def test_what_clients_see_of_a_start(make_daemon):
    """Reads are answered from what is known so far; what would change something has to wait."""
    daemon = make_daemon()
    before = start_slowly(daemon, [f"d{i}" for i in range(20)])
    client = daemon.client()
    client.get("/healthz").expect(200)
    client.get("/readyz").expect(503, "backend-unavailable")
    during = client.devices()
    assert during.keys() == before.keys()
    assert all(during[name]["uid"] == before[name]["uid"] for name in before)
    assert client.host()["devices"]["total"] == len(before)
    client.put("new", NET).expect(503, "backend-unavailable")
    client.put("d0", NET).expect(503, "backend-unavailable")
    client.patch("d0", {"owner": "a"}).expect(503, "backend-unavailable")
    client.delete("d0").expect(503, "backend-unavailable")
    client.get("/v1/devices/d0/stats").expect(503, "backend-unavailable")
    client.put("A", NET).expect(400)
    client.get("/readyz").expect(503)

    poll("ready daemon", daemon.is_ready)
    assert client.devices() == before
    client.create("new", NET)


def test_a_start_that_is_broken_off(make_daemon):
    """The next one goes on from there; none of them changes anything."""
    daemon = make_daemon()
    before = start_slowly(daemon, ["a", "b", "c", "d", "e"])
    daemon.stop()
    for _ in range(3):
        daemon.spawn()
        poll("socket", daemon.is_listening)
        daemon.stop()
    daemon.configure("")
    assert daemon.start().devices() == before


def test_the_socket_is_for_its_owner(daemon, client):
    """... and the group hsvdpa, where there is one."""
    assert daemon.socket.stat().st_mode & 0o777 in (0o600, 0o660)
    assert client.host()["limits"]["max_list"] == 1000
    daemon.stop()
    assert not daemon.socket.exists()


def test_a_socket_that_others_use(daemon, client, make_daemon):
    """A socket that nobody listens at is left over from a crash; any other, and any other file, stays."""
    second = make_daemon()
    for _ in range(2):
        result = second.run(f"--listen=unix:{daemon.socket}")
        assert result.returncode == 1 and str(daemon.socket) in result.stderr
        client.get("/healthz").expect(200)
    daemon.kill9()
    second.start(f"--listen=unix:{daemon.socket}", f"--listen=unix:{second.socket}")
    client.get("/healthz").expect(200)

    third = make_daemon()
    path = third.directory / "file"
    path.write_text("x")
    assert third.run(f"--listen=unix:{path}").returncode == 1
    assert path.read_text() == "x"


def test_the_service_manager_is_told(make_daemon):
    daemon = make_daemon()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(daemon.directory / "notify"))
        notify.settimeout(DEADLINE)
        daemon.spawn(NOTIFY_SOCKET=str(daemon.directory / "notify"))
        assert b"READY=1" in notify.recv(4096)
        daemon.client().get("/readyz").expect(200)
        daemon.terminate()
        assert b"STOPPING=1" in notify.recv(4096)
        assert daemon.wait() == 0
