# SPDX-License-Identifier: LGPL-2.1-or-later
"""The man pages say what there is: no option, key, method or function is missing, and none is made up."""

import re
import subprocess

import pytest

from ctl import PROGRAM as CTL
from daemon import PROGRAM as DAEMON
from support import DEADLINE, TREE


def source(page):
    return (TREE / "man" / f"{page}.in").read_text()


def sections(page, macro):
    """The text below each heading of that level, by its first words."""
    parts = re.split(rf"^\.{macro} (.*)$", source(page), flags=re.MULTILINE)
    return {title: text.split("\n.Sh ")[0] for title, text in zip(parts[1::2], parts[2::2])}


def listed_options(text):
    """The long options that have an item of their own."""
    lines = re.findall(r"^\.It (.*)$", text, re.MULTILINE)
    return {option for line in lines for option in re.findall(r"\bFl -([\w-]+)", line)}


def ask(program, *arguments):
    result = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def told_options(text):
    return set(re.findall(r"^ {2,6}(?:-\w, )?--([\w-]+)", text, re.MULTILINE))


needs_ctl = pytest.mark.skipif(not CTL, reason="there is no hsvdpactl: build it, or set HSVDPACTL")


@needs_ctl
def test_hsvdpactl():
    common = told_options(ask(CTL, "--help"))
    assert listed_options(sections("hsvdpactl.1", "Sh")["DESCRIPTION"]) == common
    exit_codes = re.findall(r"^  (\d)  ", ask(CTL, "--help"), re.MULTILINE)
    assert re.findall(r"^\.It (\d)$", sections("hsvdpactl.1", "Sh")["EXIT STATUS"], re.MULTILINE) == exit_codes

    commands = {}
    for noun in offered():
        for verb in offered(noun):
            commands[f"{noun} {verb}"] = told_options(ask(CTL, noun, verb, "--help")) - common
    documented = {
        " ".join(title.split()[:2]): listed_options(text)
        for title, text in sections("hsvdpactl.1", "Ss").items()
        if title.split()[0] in offered()
    }
    assert documented == commands


def offered(*words):
    """The nouns, or the verbs of a noun."""
    return [line.split("\t")[0] for line in ask(CTL, "__complete", *words, "").splitlines()]


def test_hsvdpad():
    told = ask(DAEMON, "--help")
    assert listed_options(source("hsvdpad.8")) == told_options(told)
    statuses = re.findall(r"^\.It (\d+)$", sections("hsvdpad.8", "Sh")["EXIT STATUS"], re.MULTILINE)
    assert set(statuses) == set(re.findall(r"\b(\d+)\b", told.split("Exit status:")[1]))


def configuration():
    """Of hsvdpad.conf(5): the keys by section, such as "sim"."""
    keys = {}
    for title, text in sections("hsvdpad.conf.5", "Ss").items():
        section = re.match(r"Section \[(\w+)", title)[1]
        items = re.findall(r"^\.It (Cm .*)$", text, re.MULTILINE)
        keys[section] = {key for item in items for key in re.findall(r"Cm (\w+)", item)}
    return keys


def test_configuration():
    """docs/configuration.md has the same keys, and is tested against the program."""
    documented = configuration()
    keys, section = {}, None
    for line in (TREE / "docs/configuration.md").read_text().splitlines():
        heading = re.match(r"## (?:`\[(\w+))?", line)
        if heading:
            section = heading[1]
        row = re.match(r"\| (`.*?`) \|", line)
        if section and row:
            keys.setdefault(section, set()).update(re.findall(r"`(\w+)`", row[1]))
    assert documented == keys

    for line in ask(DAEMON, "--config=/dev/null", "--print-config").splitlines():
        heading = re.match(r"\[(\w+)", line)
        if heading:
            section = heading[1]
        elif line and line[0] not in "#;":
            assert line.split()[0] in documented[section], line


def interfaces():
    """What api/*.xml declares: the names by interface."""
    found = {}
    for path in (TREE / "api").glob("org.hsvdpa.*.xml"):
        text = path.read_text()
        name = re.search(r'<interface name="([\w.]+)"', text)[1]
        found[name] = set(re.findall(r'<(?:method|signal|property) name="(\w+)"', text))
    return found


def test_dbus():
    declared = interfaces()
    if not declared:
        pytest.skip("there are no interfaces in api/")
    documented = {
        title.split()[1]: set(re.findall(r"^\.It F[na] (\w+)", text, re.MULTILINE))
        for title, text in sections("org.hsvdpa.5", "Ss").items()
    }
    assert documented == declared


def test_library():
    header = (TREE / "include/hsvdpa/client.h").read_text()
    declared = set(re.findall(r"^HSV_PUBLIC .*?\b(hsv_\w+)\(", header, re.MULTILINE))
    assert set(re.findall(r"Fn (hsv_\w+)", source("libhsvdpa.3"))) == declared
