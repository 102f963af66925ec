# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl device create --dry-run, against canned answers."""

import json

import pytest

from conftest import temporary_directory
from ctl import OK, PROGRAM, REFUSED, Ctl
from fake import FakeServer

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

PLAN = {
    "dry_run": True, "exists": False, "mgmtdev": "sim1", "needs": {"devices": 1, "asids": 2, "msis": 4, "vqs": 3},
    "candidates": [
        {
            "mgmtdev": "sim0", "fits": False,
            "reasons": [
                {"code": "cordoned", "detail": "it is cordoned"},
                {"code": "no-capacity", "detail": "msis: need 4, free 1 of 64"},
            ],
        },
        {"mgmtdev": "sim1", "fits": True, "score": 999, "reasons": []},
    ],
}
THERE = {**PLAN, "exists": True, "candidates": []}
NOWHERE = {
    "title": "No room", "status": 409, "code": "no-capacity", "detail": "There is no room for d",
    "candidates": PLAN["candidates"][:1], "candidates_omitted": 3,
}


@pytest.fixture
def plan():
    """A function that asks for a plan, of a server with that answer."""
    with temporary_directory() as directory:

        def plan(answer, *arguments, status=200):
            (directory / "s").unlink(missing_ok=True)
            answers = {f"{method}?dry_run=true": (status, answer) for method in ("PUT /v1/devices/d", "POST /v1/devices")}
            with FakeServer(directory / "s", answers) as server:
                result = Ctl(directory / "s").run("device", "create", "--class=net", "--dry-run", *arguments)
            assert result.returncode == (OK if status == 200 else REFUSED), result.stderr
            assert [body for _, body in server.requests] == [{"spec": {"class": "net"}}]
            return result.stdout + result.stderr

        yield plan


def test_it_fits(plan):
    text = plan(PLAN, "d")
    assert "d: would be created on sim1" in text and "needs: devices=1, asids=2" in text
    assert "it is cordoned; msis: need 4, free 1 of 64" in text
    assert "sim1     yes" in text and "SCORE" not in text
    assert "999" in plan(PLAN, "d", "-o", "wide")
    assert "would be created on sim1" in plan(PLAN)
    assert json.loads(plan(PLAN, "d", "-o", "json")) == PLAN


def test_it_is_there(plan):
    text = plan(THERE, "d")
    assert "d: is there already, on sim1" in text and "holds: devices=1" in text and "MGMTDEV" not in text


def test_it_does_not_fit(plan):
    text = plan(NOWHERE, "d", status=409)
    assert "There is no room for d (no-capacity)" in text
    assert "  sim0: it is cordoned; msis: need 4, free 1 of 64\n  and 3 more\n" in text
