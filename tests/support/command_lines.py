"""Odd command lines of `classify.py`, made of what its parser says of each option."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.device import cli

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS: Final = (
    *("0", "1", "2", "-1", "-0", "+1", "007", "1.5", "1e3", "0x10", "1_000", " 1", "1 ", "1,000"),
    *("²", "٣", "½", "nan", "inf", "-inf", "none", "100000", "99999999999", "9" * 5000, "-" * 50),
)
TEXTS: Final = (
    *("", " ", "-", "--", "x", "x y", "'", '"', "a" * 300, "a" * 5000, "a/" * 1000, "\n", "\r"),
    *("\x1b[2J", "\udcff", "🌱", "\u202e", "%s%n", "{label}", "{score}", "{", "sh -c {label}"),
    *(".", "./", "/dev/null", "/dev/full", "/proc/self/mem", "~nobody/x", "*", "true", "false"),
)
ADDRESSES: Final = (
    *("http://", "http://[", "http://[::1", "http://x:y", "http://127.0.0.1:9/x", "http://\udcff"),
    *("http://127.0.0.1:99999/", "https://127.0.0.1:9", "://", "x://y", "file:///", "file:///x"),
    *("rtsp://127.0.0.1:9/" + "a" * 3000, "concat://a|b", "pipe://0", "data://,", "http://a:b@c/"),
    *("127.0.0.1:0", "127.0.0.1:²", "localhost:0", ":0", "0.0.0.0:0", "[::]:0", "a" * 300 + ":0"),
    *("127.0.0.1:" + "9" * 5000, "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:nan", "x:x:x", ":"),
)
CHILD: Final = """
import faulthandler, json, os, signal, sys, tempfile, time, traceback
from pathlib import Path
from edge_classifier.device import adapter, checks, cli
from edge_classifier.device.outputs import command, on_change, page, webhook

bundle, limit_s = Path(sys.argv[1]), int(sys.argv[2])
for number, words in enumerate(json.load(sys.stdin)):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began_s = time.monotonic()
        child = os.fork()
        if child == 0:
            signal.alarm(limit_s)  # whose default ends it
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            status = 70
            try:
                cli.main(bundle, words)
            except SystemExit as end:
                status = end.code
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seconds = time.monotonic() - began_s
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        print(json.dumps([status, *texts, seconds]), flush=True)
"""
"""A process for each line, forked from one that has imported all: an end by a signal is seen, and
nothing of a line is left to the next one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command line ended."""

    words: tuple[str, ...]
    status: int
    printed: str
    told: tuple[str, ...]
    seconds: float


def odd_lines(picture: Path, seed: int = 0) -> list[tuple[str, ...]]:
    """Make command lines: each option with each odd value, each flag, and several together."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    parser.add_argument("--bundle")
    plain = [str(picture), "--no-window"]
    values = [*NUMBERS, *TEXTS, *ADDRESSES]
    taking = [a.option_strings[0] for a in parser._actions if a.option_strings and a.nargs != 0]
    flags = [a.option_strings[0] for a in parser._actions if a.option_strings and a.nargs == 0]
    lines = [(*plain, f"{option}={value}") for option in taking for value in values]
    lines += [(value, "--no-window") for value in values]
    lines += [(*plain, flag) for flag in flags]
    chance = random.Random(seed)  # noqa: S311 - of tests
    for _ in range(200):
        some = [f"{option}={chance.choice(values)}" for option in chance.sample(taking, 2)]
        source = chance.choice([str(picture), str(picture), chance.choice(values)])
        lines.append((source, "--no-window", *some, *chance.sample(flags, 2)))
    chance.shuffle(lines)
    return lines


def outcomes(
    bundle: Path, lines: list[tuple[str, ...]], cwd: Path, limit_s: int = 30
) -> list[Outcome]:
    """Run command lines, one after another, each in a process of its own."""
    no_screen = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-W", "ignore", "-c", CHILD, str(bundle), str(limit_s)],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        cwd=cwd,
        env=no_screen | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        Outcome(words, status, printed, tuple(told.splitlines()), seconds)
        for words, (status, printed, told, seconds) in zip(lines, found, strict=True)
    ]
