# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clients, and many devices."""

import contextlib
import random
import socket
import threading

import crowd
import rest
import vdpa
from agreement import agree
from rest import Api, Connection, block, net

CLIENTS = 64
ROUNDS = 2
MANY = 500


def one_life(number, errors):
    """A client: devices of its own, each made, confirmed, shown, changed and deleted again."""
    api = Api(Connection(4 * vdpa.DEADLINE).ask)
    try:
        for n in range(ROUNDS):
            name, index = f"c{number}-{n}", number * ROUNDS + n
            spec = block() if number % 8 == 0 else net(index, driver=("vhost_vdpa", "virtio_vdpa")[number % 4 == 1])
            device = api.create(name, spec)
            assert api.put(name, spec).expect(200).json == device
            assert api.device(name) == device
            api.patch(name, {"labels": {"client": str(number)}}).expect(200)
            assert len(api.get("/v1/devices?limit=10").expect(200).json["items"]) <= 10
            api.delete(name).expect(204)
            api.get(f"/v1/devices/{name}").expect(404)
        # This one stays.
        api.create(f"c{number}", net(1000 + number))
    except BaseException as error:
        errors.append(f"client {number}: {error!r}")


@contextlib.contextmanager
def slow_clients(number):
    """Clients that send half a request, or a whole one whose answer they never read, and then nothing any more."""
    sockets = []
    for n in range(number):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(rest.SOCKET)
        whole = b"GET /v1/mgmtdevs HTTP/1.1\r\nHost: localhost\r\n\r\n"
        sock.sendall(whole[: random.randrange(len(whole))] if n % 2 else whole * 50)
        sockets.append(sock)
    try:
        yield
    finally:
        for sock in sockets:
            sock.close()


def test_many_clients_at_once(api):
    errors = []
    threads = [threading.Thread(target=one_life, args=(n, errors), daemon=True) for n in range(CLIENTS)]
    with slow_clients(16):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5 * vdpa.DEADLINE)
            assert not thread.is_alive(), "a client has had no answer"
    assert not errors, "\n".join(errors)
    assert set(agree()) == {f"c{n}" for n in range(CLIENTS)}


def test_clients_that_want_the_same_device(api):
    """Each is answered by what was there when its turn came; in the end there is one device, or none."""
    calls = [call for _ in range(40) for call in (("put", "d", net(1)), ("delete", "d"))]
    answers = []
    lock = threading.Lock()

    def ask(method, *arguments):
        status = getattr(Api(Connection().ask), method)(*arguments).status
        with lock:
            answers.append((method, status))

    threads = [threading.Thread(target=ask, args=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(vdpa.DEADLINE)
    assert len(answers) == len(calls)
    assert set(answers) <= {("put", 201), ("put", 200), ("delete", 204), ("delete", 404)}
    # A deletion that had to wait, and whose device was deleted by another one meanwhile, has what it wanted.
    made, gone = answers.count(("put", 201)), answers.count(("delete", 204))
    assert 1 <= made <= gone + len(agree()) and len(agree()) <= 1


def test_many_devices(api):
    names = [f"d{n:03}" for n in range(MANY)]
    assert set(crowd.run(("put", name, net(n, mtu=1400)) for n, name in enumerate(names)).values()) == {201}
    assert set(agree()) == set(names)
    assert set(crowd.run(("delete", name) for name in names).values()) == {204}
    agree()
