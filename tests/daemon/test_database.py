# SPDX-License-Identifier: LGPL-2.1-or-later
"""A database that the daemon cannot use: it says why, has an exit status for it, and changes not a byte."""

import hashlib
import json
import os
import random
import shutil
import sqlite3

import pytest

from daemon import EXIT_DATABASE, EXIT_OTHER_DAEMON
from audit import join_spec
from support import net_spec, poll


@pytest.fixture(scope="module")
def template(shared_daemon):
    """The state directory of a daemon that has ended well."""
    client = shared_daemon.client()
    for i in range(100):
        client.create(f"d{i:02}", net_spec(owner="x" * 200))
    shared_daemon.stop()
    return shared_daemon.state_dir


@pytest.fixture
def stopped(template, make_daemon):
    daemon = make_daemon()
    shutil.copytree(template, daemon.state_dir)
    return daemon


def digest(daemon):
    """What is in the state directory. The index of the log is no data: SQLite makes it anew."""
    paths = sorted(path for path in daemon.state_dir.iterdir() if path.is_file() and path.suffix != ".db-shm")
    contents = {path.name: path.read_bytes() for path in paths}
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items() if data}


def execute(database, *statements):
    connection = sqlite3.connect(database)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def leave_log(daemon, *statements):
    """Leaves the database as a crash does: what the statements do is in the write-ahead log only."""
    connection = sqlite3.connect(daemon.database, isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", *statements):
        connection.execute(statement)
    copies = {suffix: daemon.database.with_suffix(suffix).read_bytes() for suffix in (".db", ".db-wal")}
    connection.close()
    for suffix, data in copies.items():
        assert data
        daemon.database.with_suffix(suffix).write_bytes(data)


def assert_refused(daemon, *texts):
    before = digest(daemon)
    assert "inventory.db" in before
    for _ in range(2):
        result = daemon.run()
        assert result.returncode == EXIT_DATABASE, result.stderr
        assert f"{daemon.database} cannot be used, and was left as it is" in result.stderr
        for text in texts:
            assert text in result.stderr
        assert digest(daemon) == before
    assert not daemon.socket.exists()


def overwrite(offset, data):
    def damage(path):
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    return damage


NOISE = random.Random(1).randbytes(1 << 20)
PAGE = 4096

DAMAGES = {
    "no header": overwrite(0, bytes(100)),
    "noise in the header": overwrite(0, NOISE[:100]),
    "noise behind the magic": overwrite(16, NOISE[:84]),
    "noise in the first page": overwrite(100, NOISE[:PAGE - 100]),
    "noise in a page": overwrite(4 * PAGE, NOISE[:PAGE]),
    "zeros in a page": overwrite(4 * PAGE, bytes(PAGE)),
    "noise from a page on": overwrite(3 * PAGE, NOISE),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one page": lambda path: os.truncate(path, PAGE),
    "one byte less": lambda path: os.truncate(path, path.stat().st_size - 1),
    "ten bytes": lambda path: os.truncate(path, 10),
    "noise": lambda path: path.write_bytes(NOISE),
    "text": lambda path: path.write_text("hello\n"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_database(stopped, damage):
    damage(stopped.database)
    assert_refused(stopped)


def test_an_end_within_a_page_with_a_log(stopped):
    """As a daemon leaves it that dies while the log is brought into the database."""
    leave_log(stopped, "UPDATE device SET owner = 'new' WHERE name = 'd50'")
    with open(stopped.database, "ab") as file:
        file.write(bytes(100))
    client = stopped.start()
    assert client.device("d50")["spec"]["owner"] == "new"
    stopped.kill9()
    stopped.start()


@pytest.mark.parametrize("damage", ["noise", "noise in a page", "no header"])
def test_a_damaged_database_with_a_log(stopped, damage):
    """The log is what a repair would need."""
    leave_log(stopped, "UPDATE meta SET value = '7' WHERE key = 'revision'")
    DAMAGES[damage](stopped.database)
    assert_refused(stopped)


RECORDS = {
    "spec that is not JSON": "UPDATE device SET spec = '{' WHERE name = 'd50'",
    "spec that is no object": "UPDATE device SET spec = '[]' WHERE name = 'd50'",
    "spec with a fault": """UPDATE device SET spec = '{"class":"net","net":{"mtu":1}}' WHERE name = 'd50'""",
    "spec of a later version": """UPDATE device SET spec = '{"class":"net","asids":1}' WHERE name = 'd50'""",
    "MAC address that is none": "UPDATE device SET mac = '02:00:00:00:00' WHERE name = 'd50'",
    "MAC address of no net device": """UPDATE device SET mac = '02:00:00:00:00:2a', spec = '{"class":"gpu"}' WHERE name = 'd50'""",
    "long owner": f"UPDATE device SET owner = '{'x' * 257}' WHERE name = 'd50'",
    "owner that is not UTF-8": "UPDATE device SET owner = CAST(x'ff' AS TEXT) WHERE name = 'd50'",
    "labels that are not JSON": "UPDATE device SET labels = '{' WHERE name = 'd50'",
    "labels that are no object": "UPDATE device SET labels = '[]' WHERE name = 'd50'",
    "labels with a fault": """UPDATE device SET labels = '{"a":1}' WHERE name = 'd50'""",
    "unknown state": "UPDATE device SET state = 'gone' WHERE name = 'd50'",
    "bad name": "UPDATE device SET name = '../d50' WHERE name = 'd50'",
    "long name": f"UPDATE device SET name = '{'d' * 100}' WHERE name = 'd50'",
    "bad uid": "UPDATE device SET uid = 'x' WHERE name = 'd50'",
    "bad handle": "UPDATE device SET mgmtdev = '../x' WHERE name = 'd50'",
    "long handle": f"UPDATE device SET mgmtdev = '{'x' * 200}' WHERE name = 'd50'",
    "no revision": "DELETE FROM meta WHERE key = 'revision'",
    "no boot ID": "DELETE FROM meta WHERE key = 'boot_id'",
    "long boot ID": f"UPDATE meta SET value = '{'x' * 100}' WHERE key = 'boot_id'",
    "no table": "DROP TABLE device",
}


@pytest.mark.parametrize("statement", RECORDS.values(), ids=RECORDS)
def test_a_database_with_a_bad_record(stopped, statement):
    execute(stopped.database, statement)
    assert_refused(stopped, "d50" if "d50" in statement and "name =" not in statement[:24] else "")


def test_a_newer_schema(stopped):
    execute(stopped.database, "PRAGMA user_version = 99")
    assert_refused(stopped, "version 99", "newer")


def test_a_newer_schema_in_the_log_only(stopped):
    """Closing such a database must not write the log into it."""
    leave_log(stopped, "PRAGMA user_version = 99")
    assert_refused(stopped, "version 99")


@pytest.mark.parametrize("statements", [
    ["CREATE TABLE t (x)"],
    ["PRAGMA application_id = 12345"],
    ["CREATE TABLE t (x)", "PRAGMA application_id = 12345", "PRAGMA user_version = 1"],
    ["PRAGMA user_version = 1"],
])
def test_a_database_of_another_program(stopped, statements):
    stopped.database.unlink()
    execute(stopped.database, *statements)
    assert_refused(stopped, "another program")


def test_a_directory_in_its_place(stopped):
    stopped.database.unlink()
    stopped.database.mkdir()
    (stopped.database / "x").touch()
    result = stopped.run()
    assert result.returncode == 1 and str(stopped.database) in result.stderr
    assert [path.name for path in stopped.database.iterdir()] == ["x"]


def test_a_state_directory_that_cannot_be(make_daemon):
    daemon = make_daemon()
    daemon.state_dir.write_text("x")
    result = daemon.run()
    assert result.returncode == 1 and str(daemon.state_dir) in result.stderr
    assert daemon.state_dir.read_text() == "x"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["", "inventory.db"])
def test_no_permission(stopped, name):
    path = stopped.state_dir / name
    mode = path.stat().st_mode
    path.chmod(0)
    result = stopped.run()
    path.chmod(mode)
    assert result.returncode == 1 and str(stopped.state_dir) in result.stderr


def test_a_second_daemon(stopped, make_daemon):
    """It has another runtime directory and another socket, but the same state directory."""
    client = stopped.start()
    before = client.devices()
    second = make_daemon()
    for _ in range(2):
        result = second.run(f"--state-dir={stopped.state_dir}")
        assert result.returncode == EXIT_OTHER_DAEMON
        assert "Another hsvdpad" in result.stderr and str(stopped.state_dir) in result.stderr
    assert not second.socket.exists()
    assert client.devices() == before
    client.create("more", {"class": "net"})

    stopped.kill9()
    stopped.start()


def test_the_database_is_for_no_one_else(stopped):
    stopped.state_dir.rename(stopped.directory / "elsewhere")
    stopped.start()
    assert stopped.state_dir.stat().st_mode & 0o777 == 0o700


def test_what_is_written_is_what_is_served(daemon, client):
    """The spec is kept with its defaults; the revision never goes back, not even over a crash."""
    device = client.create("d", net_spec("02:00:00:00:00:2a", labels={"ä": "ö"}))
    daemon.kill9()
    client = daemon.start()
    connection = sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT * FROM device WHERE name = 'd' AND state = 'ready'").fetchone()
    connection.close()
    assert (row["uid"], row["generation"], row["mgmtdev"], join_spec(row)) == (device["uid"], 1, "sim0", device["spec"])
    revision = client.revision()
    assert revision >= device["revision"]
    client.delete("d").expect(204)
    daemon.kill9()
    assert daemon.start().revision() > revision


def test_a_spec_in_one_piece(daemon, client):
    """As earlier versions have recorded it; the next change of the record takes it apart."""
    device = client.create("d", net_spec("02:00:00:00:00:2a", owner="o", labels={"k": "v"}))
    daemon.stop()
    connection = sqlite3.connect(daemon.database)
    with connection:
        connection.execute("UPDATE device SET spec = ?, owner = '', mac = '', labels = ''", [json.dumps(device["spec"])])
    connection.close()
    client = daemon.start()
    assert client.device("d") == device
    after = client.patch("d", {"owner": "p"}).expect(200).json
    daemon.kill9()
    connection = sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT * FROM device").fetchone()
    connection.close()
    assert (row["owner"], row["mac"], json.loads(row["labels"])) == ("p", "02:00:00:00:00:2a", {"k": "v"})
    assert "mac" not in json.loads(row["spec"])["net"] and join_spec(row) == after["spec"]
