# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl device create --dry-run, against canned answers."""

import json

import pytest

from conftest import temporary_directory
from ctl import OK, PROGRAM, REFUSED, Ctl
from fake import FakeServer

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

PLAN = {
    "dry_run": True, "mgmtdev": "sim1", "needs": {"devices": 1, "asids": 2},
    "candidates": [
        {"mgmtdev": "sim0", "fits": False, "reasons": ["it is cordoned", "class block is not made"]},
        {"mgmtdev": "sim1", "fits": True, "reasons": []},
    ],
}
NOWHERE = {**PLAN, "mgmtdev": None, "candidates": PLAN["candidates"][:1]}


@pytest.fixture
def plan():
    """A function that asks for a plan, of a server with that answer."""
    with temporary_directory() as directory:

        def plan(answer, *arguments, code):
            (directory / "s").unlink(missing_ok=True)
            answers = {f"{method}?dry_run=true": (200, answer) for method in ("PUT /v1/devices/d", "POST /v1/devices")}
            with FakeServer(directory / "s", answers) as server:
                result = Ctl(directory / "s").run("device", "create", "--class=net", "--dry-run", *arguments)
            assert result.returncode == code, result.stderr
            assert [body for _, body in server.requests] == [{"spec": {"class": "net"}}]
            return result.stdout

        yield plan


def test_it_fits(plan):
    text = plan(PLAN, "d", code=OK)
    assert "d: would be created on sim1" in text and "devices=1, asids=2" in text
    assert "it is cordoned; class block is not made" in text
    assert "sim1     yes" in text
    assert "would be created on sim1" in plan(PLAN, code=OK)
    assert json.loads(plan(PLAN, "d", "-o", "json", code=OK)) == PLAN


def test_it_does_not_fit(plan):
    assert "d: could not be created now" in plan(NOWHERE, "d", code=REFUSED)
    assert json.loads(plan(NOWHERE, "d", "-o", "json", code=REFUSED)) == NOWHERE
