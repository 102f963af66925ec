# SPDX-License-Identifier: LGPL-2.1-or-later
"""Command line, configuration file, listening addresses, and what is told to a service manager."""

import configparser
import re
import socket
import subprocess

import pytest

from client import Client
from daemon import EXIT_CONFIG, EXIT_USAGE, PROGRAM
from support import DEADLINE, TREE, sim_section


def ask(*arguments):
    command = [PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_version(client):
    result = ask("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"hsvdpa {client.host()['version']}\n"


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option):
    result = ask(option)
    assert (result.returncode, result.stderr) == (0, "")
    for text in ("--config", "--backend", "--state-dir", "--runtime-dir", "--listen", "--log-level",
                 "--check-config", "--print-config", "--version", " 64 ", " 65 ", " 75 ", " 78 "):
        assert text in result.stdout


@pytest.mark.parametrize("argument", ["--bogus", "-x", "--backend", "--listen", "argument", "--version=1"])
def test_wrong_command_line(argument):
    result = ask(argument)
    assert result.returncode == EXIT_USAGE
    assert argument.lstrip("-").partition("=")[0] in result.stderr


BAD_OPTIONS = [
    "--backend=vdpa", "--backend=", "--log-level=loud", "--listen=/tmp/x", "--listen=unix:relative",
    "--listen=unix:", "--listen=tcp:", "--listen=tcp:localhost", "--listen=udp:localhost:1",
    "--listen=unix:/" + "x" * 200, "--state-dir=",
]


@pytest.mark.parametrize("option", BAD_OPTIONS, ids=lambda option: option[:30])
def test_wrong_value_of_an_option(make_daemon, option):
    for arguments in ([option], [option, "--check-config"]):
        result = make_daemon().run(*arguments)
        assert result.returncode == EXIT_CONFIG
        assert "command line" in result.stderr


# The file, and what is said of it: with the line.
BAD_FILES = [
    ("[daemon]\nbogus = 1\n", ":2:", "bogus", "[daemon]"),
    ("[daemon]\n\n# comment\nbackend = vdpa\n", ":4:", "vdpa", "backend"),
    ("[daemon]\nlog_level = loud\n", ":2:", "loud", "log_level"),
    ("[daemon]\nstate_dir = relative\n", ":2:", "relative", "state_dir"),
    ("[daemon]\nlisten = tcp:x\n", ":2:", "tcp:x", "listen"),
    ("[daemon]\nstop_timeout_sec = 0\n", ":2:", "stop_timeout_sec", "from 1 to 3600"),
    ("[bogus]\nbackend = sim\n", ":1:", "[bogus]"),
    ("[limits]\n\n[bogus]\n", ":3:", "[bogus]"),
    ("[sim]\n", ":1:", "[sim]"),
    ("backend = sim\n", ":1:", "section"),
    ("[limits]\nmax_devices = 1\nmax_devices = 1\n", ":3:", "max_devices", ":2"),
    ("[limits]\nmax_dev\x00ices = 5\n", ":2:", "NUL"),
    ("[limits]\nmax_devices = 0\n", ":2:", "max_devices", "from 1 to 1048576"),
    ("[limits]\nmax_devices = 1048577\n", ":2:", "max_devices"),
    ("[limits]\nmax_devices = -1\n", ":2:", "max_devices"),
    ("[limits]\nmax_devices = 0x10\n", ":2:", "0x10"),
    ("[limits]\nmax_devices = 1 2\n", ":2:", "1 2"),
    ("[limits]\nmax_devices = 99999999999999999999\n", ":2:", "max_devices"),
    ("[limits]\nmax_devices =\n", ":2:", "max_devices"),
    ("[limits]\nmax_body_bytes = 1023\n", ":2:", "from 1024"),
    ("[limits]\nmax_connections = 65537\n", ":2:", "max_connections"),
    ("[limits]\nmax_operations = x\n", ":2:", "max_operations"),
    ("[limits]\nidle_timeout_sec = 0\n", ":2:", "idle_timeout_sec"),
    ("[limits]\nnonsense\n", ":2:"),
    ("[limits\nmax_devices = 1\n", ":1:"),
    ("\x00\x01\n[limits]\nmax_devices = 5\n", ":1:"),
    ("# " + 1000 * "x" + "\n[limits]\n" + "max_devices = 0\n", ":3:", "max_devices"),
    ("[limits]\nmax_devices = " + 1000 * "1" + "\n", ":2:"),
    (sim_section("../x"), ":1:", "../x"),
    (sim_section("a/b/c", classes="net"), ":1:", "a/b/c"),
    (sim_section("sim0", classes="nic"), ":2:", "nic", "classes"),
    (sim_section("sim0", classes=""), ":2:", "classes"),
    (sim_section("sim0", classes="net,64"), ":2:", "classes"),
    (sim_section("sim0", transport="usb"), ":2:", "usb", "transport"),
    (sim_section("sim0", numa_node=-1), ":2:", "numa_node"),
    (sim_section("sim0", max_devices="many"), ":2:", "max_devices"),
    (sim_section("sim0", latency_usec=60_000_001), ":2:", "latency_usec"),
    (sim_section("sim0", bogus=1), ":2:", "bogus", "[sim sim0]"),
]


@pytest.mark.parametrize("text, place, words", [(case[0], case[1], case[2:]) for case in BAD_FILES],
                         ids=[ascii(case[0])[:40] for case in BAD_FILES])
def test_wrong_file(make_daemon, text, place, words):
    daemon = make_daemon(text)
    for arguments in ([], ["--check-config"], ["--print-config"]):
        result = daemon.run(*arguments)
        assert (result.returncode, result.stdout) == (EXIT_CONFIG, "")
        assert str(daemon.config_path) + place in result.stderr
        for word in words:
            assert word in result.stderr
    assert not daemon.state_dir.exists()


def documented_keys():
    """What docs/configuration.md says: (section, key) and the default."""
    section, keys = "", {}
    for line in (TREE / "docs" / "configuration.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        heading = re.match(r"#+ `\[(\w+)", line)
        if heading:
            section = heading[1]
        elif line.startswith("| `"):
            for key in re.findall(r"`(\w+)`", cells[0]):
                keys[section, key] = cells[1].strip("`")
    return keys


def test_every_key_is_documented(make_daemon):
    """With its default, where that is one value."""
    handle = "pci/0000:01:00.0"
    said = "[mgmtdev m]\ncordoned = yes\nlabels = a=b\nreserved_asids = 5\nreserved_msis = 6\n" + "".join(
        f"{key} = 1\n"
        for key in ("devices", "asids", "msis", "vqs", "reserved_devices", "reserved_vqs")
    )
    others = {"features": "net: MAC", "pci_function": "0000:01:00.0", "pf": "0000:01:00.0", "vf_index": 0}
    daemon = make_daemon(said + sim_section(handle, classes="net", numa_node=0, reserved_msis="1", **others))
    printed = ask(f"--config={daemon.config_path}", "--print-config").stdout
    config = configparser.ConfigParser(strict=False)
    config.read_string(printed)
    keys = {(name.split()[0], key): value for name in config.sections() for key, value in config[name].items()}
    documented = documented_keys()
    assert set(keys) == set(documented)
    for key, value in keys.items():
        if f"# default\n{key[1]} = {value}\n" in printed:
            assert documented[key] == value


def test_every_fault_of_a_file_is_told(make_daemon):
    result = make_daemon("[daemon]\na = 1\nb = 2\n[limits]\nmax_devices = 0\n").run("--check-config")
    assert result.returncode == EXIT_CONFIG
    assert [f":{line}:" in result.stderr for line in (2, 3, 5)] == [True] * 3


def test_a_file_that_is_not_there(make_daemon):
    daemon = make_daemon()
    daemon.config_path.unlink()
    result = daemon.run()
    assert result.returncode == EXIT_CONFIG and str(daemon.config_path) in result.stderr


def test_check_config(make_daemon):
    daemon = make_daemon("[daemon]\nlog_level = debug\n")
    result = daemon.run("--check-config")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not daemon.state_dir.exists()


def without_comments(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_print_config_is_a_configuration(make_daemon):
    """What is printed, read again, is printed again; and it is what counts."""
    daemon = make_daemon(
        "[daemon]\nlog_level = debug\nlisten = tcp:127.0.0.1:1\nstop_timeout_sec = 7\n"
        "[limits]\nmax_devices = 5\n"
        + sim_section("pci/0000:01:00.0", classes="net,26", transport="pci-pf", numa_node=1, fail_bind=3)
        + sim_section("sim0", max_vqs=5)
    )
    listen = ["--listen=tcp:[::1]:2", f"--listen=unix:{daemon.socket}"]
    result = daemon.run("--print-config", "--log-level=err", *listen)
    assert (result.returncode, result.stderr) == (0, "")
    config = configparser.ConfigParser(strict=False)
    config.read_string(result.stdout)
    assert config["daemon"]["log_level"] == "err"
    assert (config["daemon"]["backend"], config["daemon"]["stop_timeout_sec"]) == ("sim", "7")
    assert config["daemon"]["state_dir"] == str(daemon.state_dir)
    assert "tcp:127.0.0.1:1" not in result.stdout
    lines = without_comments(result.stdout)
    first = lines.index("listen = tcp:[::1]:2")
    assert lines[first + 1] == f"listen = unix:{daemon.socket}"
    assert config["limits"]["max_devices"] == "5"
    pf = config["sim pci/0000:01:00.0"]
    keys = ("classes", "transport", "numa_node", "fail_bind")
    assert [pf[key] for key in keys] == ["net,fs", "pci-pf", "1", "3"]
    assert config["sim sim0"]["max_vqs"] == "5"

    daemon.configure(result.stdout)
    again = ask(f"--config={daemon.config_path}", "--print-config")
    assert (again.returncode, again.stderr) == (0, "")
    assert without_comments(again.stdout) == lines


def test_print_config_says_where_it_comes_from(make_daemon):
    daemon = make_daemon("[daemon]\nlog_level = debug\n[limits]\nmax_devices = 5\n[sim a]\n")
    printed = daemon.run("--print-config", "--log-level=err").stdout
    path = daemon.config_path
    for text in ("# command line\nlog_level = err\n", f"# {path}:4\nmax_devices = 5\n",
                 "# default\nmax_operations = 4096\n", "# default\nmax_vqs = 65\n",
                 f"# default, from runtime_dir\nlisten = unix:{daemon.socket}\n"):
        assert text in printed


def test_a_section_without_keys(make_daemon):
    client = make_daemon("[sim a]\n[sim b]\n").start()
    assert [m["handle"] for m in client.get("/v1/mgmtdevs").expect(200).json["items"]] == ["a", "b"]


def test_relative_directories(make_daemon):
    """On the command line they are relative to where it was typed."""
    daemon = make_daemon()
    result = daemon.run("--state-dir=a/b", "--runtime-dir=c", "--print-config")
    assert f"state_dir = {daemon.directory.resolve()}/a/b\n" in result.stdout
    assert f"listen = unix:{daemon.directory.resolve()}/c/api.sock\n" in result.stdout


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_tcp(make_daemon):
    """Only of loopback, and only for who names it as such: a web page whose name was rebound cannot."""
    daemon, port = make_daemon(), free_port()
    daemon.start(f"--listen=unix:{daemon.socket}", f"--listen=tcp:localhost:{port}")
    over_tcp, over_unix = Client(("127.0.0.1", port)), daemon.client()
    over_tcp.create("d", {"class": "net"})
    assert over_unix.device("d") == over_tcp.device("d")

    for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"127.1.2.3:{port}", f"[::1]:{port}"):
        over_tcp.request("GET", "/v1/host", headers={"Host": host}).expect(200)
    for host in ("example.com", f"example.com:{port}", "localhost.example.com", "127.0.0.1.example.com", "",
                 "0.0.0.0", "10.0.0.1", "localhost:x", "[::1", "::1", "user@localhost", "localhost/"):
        over_unix.request("GET", "/v1/host", headers={"Host": host}).expect(200)
        for request in ("GET /v1/host", "DELETE /v1/devices/d", "GET /healthz", "GET /none"):
            over_tcp.request(*request.split(), headers={"Host": host}).expect(403, "forbidden")
    for header in (b"HTTP/1.0\r\n", b"HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n"):
        with over_tcp.raw() as raw:
            raw.send(b"GET /v1/host " + header + b"\r\n").answer().expect(403, "forbidden")
    assert list(over_unix.devices()) == ["d"]


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "10.0.0.1:0", "192.0.2.1:80", "[2001:db8::1]:80"])
def test_tcp_for_others_is_refused(make_daemon, address):
    result = make_daemon().run(f"--listen=tcp:{address}")
    assert result.returncode != 0 and "loopback" in result.stderr


WRONG_ADDRESSES = ["example.com:80", "localhost:http", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:"]


@pytest.mark.parametrize("address", WRONG_ADDRESSES)
def test_wrong_tcp_address(make_daemon, address):
    result = make_daemon().run(f"--listen=tcp:{address}")
    assert result.returncode != 0 and address in result.stderr


def test_debugging_messages_are_asked_for(make_daemon):
    quiet, loud = make_daemon(), make_daemon()
    for daemon, level in ((quiet, "err"), (loud, "debug")):
        client = daemon.start(f"--log-level={level}")
        client.create("d", {"class": "net"})
        daemon.stop()
    assert quiet.log() == "" and "d: ready on sim0" in loud.log()
