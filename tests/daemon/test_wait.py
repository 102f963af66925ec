# SPDX-License-Identifier: LGPL-2.1-or-later
"""DELETE ?wait=: a device that is in use is waited for, and nothing else has to."""

import queue
import threading
import time

from support import poll
from test_faults import NET, assert_nothing_left, open_endpoint


def test_waiting_for_a_device_in_use(daemon, client):
    device = client.create("d", NET)
    endpoint = open_endpoint(daemon, "d")
    start = time.monotonic()
    client.delete("d", wait=1).expect(409, "in-use")
    assert time.monotonic() - start >= 1
    client.delete("d", wait=601).expect(400, "invalid-request")

    answers = queue.SimpleQueue()
    waiting = [threading.Thread(target=lambda: answers.put(client.delete("d", wait=60))) for _ in range(2)]
    for thread in waiting:
        thread.start()
    # Nothing is held meanwhile.
    client.patch("d", {"owner": "a"}).expect(200)
    client.put("d", {**NET, "owner": "a"}).expect(200)
    client.delete("d").expect(409, "in-use")
    assert client.device("d")["uid"] == device["uid"] and answers.empty()
    endpoint.rmdir()
    for thread in waiting:
        thread.join()
    # Both have waited for this device, and it is gone.
    assert [answers.get().status for _ in waiting] == [204, 204]
    assert_nothing_left(client)


def test_a_client_that_does_not_wait_any_longer(daemon, client):
    client.create("d", NET)
    endpoint = open_endpoint(daemon, "d")
    with client.raw() as raw:
        raw.send(b"DELETE /v1/devices/d?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n")
        poll("first attempt", lambda: "not deleted" in daemon.log())
    time.sleep(1)
    endpoint.rmdir()
    time.sleep(1)
    assert client.device("d")["status"]["state"] == "ready"
    client.delete("d").expect(204)
