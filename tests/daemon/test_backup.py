# SPDX-License-Identifier: LGPL-2.1-or-later
"""Backup while the daemon works, restore while it does not, and what a crash in the middle leaves."""

import shutil
import sqlite3
import threading
from contextlib import closing

import pytest

from ctl import LOCAL, REFUSED, Ctl
from daemon import EXIT_DATABASE, EXIT_OTHER_DAEMON
from support import net_spec, poll

NET = {"class": "net"}


def query(path, sql):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def names_in(path):
    return [name for name, in query(path, "SELECT name FROM device ORDER BY name")]


def kept(daemon):
    return sorted(path for path in daemon.state_dir.glob("inventory.db.2*") if not path.name.endswith("-wal"))


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


def test_a_backup(daemon, client, ctl):
    for i in range(10):
        client.create(f"d{i:02}", net_spec(owner="o", labels={"n": str(i)}))
    path = daemon.directory / "backup.db"
    assert "bytes written" in ctl("host", "backup", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert names_in(path) == sorted(client.devices())

    before = path.read_bytes()
    client.create("more", NET)
    assert "exists" in ctl("host", "backup", str(path), expect=LOCAL)
    assert path.read_bytes() == before
    ctl("host", "backup", "--force", str(path))
    assert "more" in names_in(path)
    assert "No such file" in ctl("host", "backup", "/nonexistent/x", expect=LOCAL)
    # Nothing half made is left beside it.
    assert [p.name for p in daemon.directory.iterdir() if "XXXX" in p.name or p.name.startswith(".hsvdpactl")] == []

    answer = client.get("/v1/backup").expect(200)
    assert answer.headers["Content-Type"] == "application/vnd.sqlite3"
    assert answer.body.startswith(b"SQLite format 3\0")
    client.get("/v1/backup", x=1).expect(400)


def test_backups_while_much_is_changed(daemon, client):
    """Each is of one moment, and changes go on: a device is there if one that was acknowledged after it is."""
    stop = threading.Event()
    made = []

    def work():
        while not stop.is_set():
            name = f"d{len(made):05}"
            client.create(name, NET)
            made.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for i in range(6):
            poll("device", lambda: len(made) > 5 * i)
            acknowledged = list(made)
            body = client.get("/v1/backup").expect(200).body
            path = daemon.directory / "backup.db"
            path.write_bytes(body)
            found = names_in(path)
            assert found[:len(acknowledged)] == acknowledged
            assert found == [f"d{i:05}" for i in range(len(found))]
            assert query(path, "PRAGMA integrity_check") == [("ok",)]
    finally:
        stop.set()
        thread.join()


def test_only_so_many_at_a_time(daemon, client):
    """Who does not read holds up no one but other backups."""
    for i in range(200):
        client.create(f"d{i:04}", net_spec(owner="x" * 250, labels={f"k{j}": "v" * 250 for j in range(8)}))
    slow = [client.raw().send(b"GET /v1/backup HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
    poll("refusal", lambda: client.get("/v1/backup").status == 503)
    client.get("/v1/backup").expect(503, "overloaded")
    client.create("more", NET)
    for raw in slow:
        raw.sock.close()
    poll("backup", lambda: client.get("/v1/backup").status == 200)


def restore(daemon, path, status=0):
    result = daemon.run(f"--restore={path}")
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_a_restore(daemon, client, ctl):
    """What was made after the backup is foreign, what was deleted is lost; no revision is given out twice."""
    before = {name: client.create(name, net_spec(owner=name)) for name in ("a", "b")}
    path = daemon.directory / "backup.db"
    ctl("host", "backup", str(path))
    client.create("c", NET)
    client.delete("a").expect(204)
    revision = client.revision()
    assert "Another hsvdpad" in restore(daemon, path, EXIT_OTHER_DAEMON)
    daemon.kill9()

    text = restore(daemon, path)
    old, = kept(daemon)
    assert str(old) in text
    client = daemon.start()
    assert client.revision() > revision
    after = client.devices()
    assert {name: (d["uid"], d["spec"]) for name, d in after.items()} == \
        {name: (d["uid"], d["spec"]) for name, d in before.items()}
    assert (after["a"]["status"]["state"], after["b"]["status"]["state"]) == ("lost", "ready")
    assert client.host()["devices"]["foreign"] == 1
    daemon.stop()

    # And back again.
    restore(daemon, old)
    assert daemon.start().devices().keys() == {"b", "c"}


def test_a_restore_into_nothing(daemon, client, ctl):
    client.create("a", NET)
    path = daemon.directory / "backup.db"
    ctl("host", "backup", str(path))
    daemon.stop()
    shutil.rmtree(daemon.state_dir)
    assert "kept" not in restore(daemon, path)
    assert daemon.start().device("a")["status"]["state"] == "ready"


def damage_header(path):
    path.write_bytes(b"x" * 100 + path.read_bytes()[100:])


def damage_page(path):
    data = path.read_bytes()
    path.write_bytes(data[:8192] + bytes(4096) + data[12288:])


def execute(sql):
    def damage(path):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(sql)

    return damage


WRONG = {
    "header": damage_header,
    "page": damage_page,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "text": lambda path: path.write_text("hello\n"),
    "record": execute("UPDATE device SET spec = '{' WHERE name = 'a'"),
    "twice": execute("UPDATE device SET asids = (SELECT asids FROM device WHERE name = 'a')"),
    "newer": execute("PRAGMA user_version = 99"),
    "other program": execute("PRAGMA application_id = 1"),
}


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG)
def test_what_is_no_backup(daemon, client, ctl, damage):
    before = [client.create(name, NET) for name in ("a", "b")]
    path = daemon.directory / "backup.db"
    ctl("host", "backup", str(path))
    damage(path)
    daemon.stop()
    restore(daemon, path, EXIT_DATABASE)
    assert kept(daemon) == []
    assert list(daemon.start().devices().values()) == before


def test_a_backup_that_is_not_there(daemon, client):
    client.create("a", NET)
    daemon.stop()
    assert "No such file" in restore(daemon, "/nonexistent", 1)
    assert daemon.start().device("a")


def leave_log(daemon):
    """A crash has left a log with changes that are not in the database."""
    daemon.kill9()
    assert daemon.database.with_name("inventory.db-wal").stat().st_size > 0


STEPS = ["all is to be done", "the log was renamed", "the database was renamed"]


@pytest.mark.parametrize("n_done", range(3), ids=STEPS)
@pytest.mark.parametrize("then", ["start", "fsck", "restore"])
def test_a_crash_in_the_middle(daemon, client, ctl, n_done, then):
    """The new one is there in whole, and has the name by which it is known: every later start goes on with it, and neither
    is mixed with the other's log."""
    client.create("a", NET)
    path = daemon.directory / "backup.db"
    ctl("host", "backup", str(path))
    client.create("b", NET)
    leave_log(daemon)

    following = daemon.state_dir / "inventory.db.next"
    shutil.copy(path, following)
    # Taken from the same place as the daemon takes it.
    seconds, nanoseconds = divmod(following.stat().st_mtime_ns, 10**9)
    time = sqlite3.connect(":memory:").execute("SELECT strftime('%Y-%m-%dT%H:%M:%S', ?, 'unixepoch')", [seconds])
    name = f"inventory.db.{time.fetchone()[0]}.{nanoseconds // 1000:06}Z"
    if n_done > 0:
        daemon.database.with_name("inventory.db-wal").rename(daemon.state_dir / f"{name}-wal")
    if n_done > 1:
        daemon.database.rename(daemon.state_dir / name)

    if then == "fsck":
        assert daemon.run("--fsck").returncode == 0
    elif then == "restore":
        restore(daemon, path)
    client = daemon.start()
    assert list(client.devices()) == ["a"]
    assert not following.exists()
    old = daemon.state_dir / name
    assert old in kept(daemon)
    assert names_in(old) == ["a", "b"]


def test_half_a_new_one_is_worth_nothing(daemon, client):
    client.create("a", NET)
    daemon.stop()
    (daemon.state_dir / "inventory.db.new").write_bytes(b"half")
    assert list(daemon.start().devices()) == ["a"]


def test_a_backup_of_a_daemon_that_is_gone(ctl, daemon):
    daemon.stop()
    path = daemon.directory / "backup.db"
    assert ctl.run("host", "backup", str(path)).returncode not in (0, REFUSED)
    assert not path.exists()
