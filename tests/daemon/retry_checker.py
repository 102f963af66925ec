#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether what retrying clients were told, and what is there in the end, can both be so.

An outsider's view: it reads the journal of the clients (a line of JSON for each answered request) and the devices that
there are, and knows nothing of keys, receipts and tombstones. Each creation has a token of its own, which is a label of
the device that comes of it. What it proves:

- of one token there was never more than one device;
- all answers to one request agree: the same status and the same device, or that the device was deleted since;
- a device whose deletion nobody asked for, by its uid, is there; one whose deletion was confirmed is not;
- what is there was asked for, and was not refused.

It is a program (retry_checker.py --journal FILE --url unix:PATH; exit status 1: something is wrong) and a module.
"""

import argparse
import collections
import json
import sys
from urllib.parse import quote

from checker import PAGE, Connection

MADE, GONE = 201, 410


def check_answers(records, complain):
    """Those to the same request."""
    requests = collections.defaultdict(list)
    for record in records:
        requests[record["request"]].append(record)
    for request, answers in requests.items():
        statuses = {record["status"] for record in answers}
        uids = {record["got"] for record in answers if record["got"]}
        if len(uids) > 1:
            complain(f"{request}: was answered with the devices {sorted(uids)}")
        if answers[0]["keyed"] and len(statuses - {GONE}) > 1:
            complain(f"{request}: was answered with {sorted(statuses)}")
        if GONE in statuses and not answers[0]["keyed"]:
            complain(f"{request}: has no key, and was answered with {GONE}")
    return len(requests)


def check_devices(records, devices, complain):
    made = {}  # uid -> token
    of_token = collections.defaultdict(set)
    refused, asked, confirmed = set(), set(), set()
    for record in records:
        if record["op"] == "create":
            if record["got"]:
                made[record["got"]] = record["token"]
                of_token[record["token"]].add(record["got"])
            elif record["status"] != GONE:
                refused.add(record["token"])
        elif record["op"] == "delete":
            asked.add(record["uid"])
            if record["status"] == 204:
                confirmed.add(record["uid"])

    present = {device["uid"]: device["spec"]["labels"]["token"] for device in devices}
    tokens = {record["token"] for record in records}
    for token, uids in of_token.items():
        uids |= {uid for uid, other in present.items() if other == token}
        if len(uids) > 1:
            complain(f"{token}: there were the devices {sorted(uids)}")
    for uid, token in made.items():
        if uid not in present and uid not in asked:
            complain(f"{token}: its device {uid} has gone, and nobody has asked for that")
        if uid in present and uid in confirmed:
            complain(f"{token}: its device {uid} is there, and was deleted")
    for uid, token in present.items():
        if token not in tokens:
            complain(f"{token}: nobody has asked for {uid}")
        elif token in refused and not of_token[token]:
            complain(f"{token}: was refused, and {uid} is there")
    return len(made), len(present)


def check(records, devices):
    """What is wrong, as sentences, and the numbers of all that was looked at."""
    damages = []
    n_requests = check_answers(records, damages.append)
    n_made, n_present = check_devices(records, devices, damages.append)
    numbers = {"answers": len(records), "requests": n_requests, "devices made": n_made, "devices left": n_present}
    return damages, numbers


def read_devices(connection):
    devices, more = [], ""
    while more is not None:
        page = connection.ask(f"/v1/devices?limit={PAGE}" + (f"&continue={quote(more)}" if more else ""))
        devices += page["items"]
        more = page.get("continue")
    return devices


def main():
    parser = argparse.ArgumentParser(description="Checks what retrying clients were told.")
    parser.add_argument("--url", default="unix:/run/hsvdpa/api.sock", help="unix:PATH or tcp:HOST:PORT")
    parser.add_argument("--journal", required=True, help="the answers, a line of JSON each")
    arguments = parser.parse_args()
    with open(arguments.journal, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    damages, numbers = check(records, read_devices(Connection(arguments.url)))
    print(*damages[:50], sep="\n", end="\n" if damages else "")
    print(", ".join(f"{n} {what}" for what, n in numbers.items()), f"{len(damages)} damages", sep=", ")
    sys.exit(1 if damages else 0)


if __name__ == "__main__":
    main()
