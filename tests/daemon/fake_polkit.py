# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon sees of polkit: a service that answers CheckAuthorization as it is told."""

import threading

from jeepney import HeaderFields, MessageType, new_error, new_method_call, new_method_return

from bus import BUS
from support import DEADLINE

PING = "Ping"


class FakePolkit:
    def __init__(self, bus):
        self.bus = bus
        self.asked = []
        self._decision = new_method_return, "(bba{ss})", ((False, False, {}),)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.connection = self.bus.connect()
        message = new_method_call(BUS, "RequestName", "su", ("org.freedesktop.PolicyKit1", 0))
        self.connection.result(self.connection.dbus.send_and_get_reply(message, timeout=DEADLINE))
        self._thread.start()
        return self

    def __exit__(self, *_):
        # Its own thread reads, so another connection has to tell it to end.
        with self.bus.connect() as other:
            other.call("/", "org.freedesktop.DBus.Peer", PING, to=self.connection.unique_name)
        self._thread.join()
        self.connection.close()

    def answer(self, authorized, challenge=False):
        """What is answered from now on: a decision, an error's name, or (None) nothing."""
        if authorized is None:
            self._decision = None
        elif isinstance(authorized, str):
            self._decision = new_error, authorized, "s", ("It does not work",)
        else:
            self._decision = new_method_return, "(bba{ss})", ((authorized, challenge, {}),)

    def _serve(self):
        while True:
            message = self.connection.dbus.receive()
            if message.header.message_type != MessageType.method_call:
                continue
            if message.header.fields[HeaderFields.member] == PING:
                self.connection.dbus.send(new_method_return(message))
                return
            (kind, details), action, _, flags, _ = message.body
            name = details["name"][1]
            self.asked.append({"kind": kind, "name": name, "action": action, "flags": flags})
            if self._decision:
                make, *arguments = self._decision
                self.connection.dbus.send(make(message, *arguments))
