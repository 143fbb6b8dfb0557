"""Tries odd command lines, made of what each command's parser says of its options."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.cli import COMMANDS, command_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS: Final = (
    *("0", "1", "2", "-1", "-0", "+1", "007", "1.5", "1e3", "1e400", "0x10", "1_000", " 1", "1 "),
    *("1,000", "²", "٣", "½", "nan", "inf", "-inf", "none", "65", "100000", "99999999999"),
    *("9" * 5000, "0." + "9" * 5000, "-" * 50),
)
TEXTS: Final = (
    *("", " ", "-", "--", "x", "x y", "'", '"', "a" * 300, "a" * 5000, "a/" * 1000, "\n", "\r"),
    *("\x1b[2J", "\udcff", "🌱", "\u202e", "%s%n", "{label}", "{score}", "{", "sh -c {label}"),
    *("true", "false", "~nobody/x", "*"),
)
PATHS: Final = (
    *(".", "./", "/dev/null", "/dev/full", "/proc/self/mem", "nowhere", "nowhere/x", "photo.png/x"),
    *(
        "pipe",
        "device",
        "folder",
        "link",
        "null",
        "endless",
        "text.txt",
        "broken.jpg",
        "photo.png",
        "project",
    ),
    *("pictures", "bundle", "project/project.json", "bundle/spec.json", "con", "a:b", "..."),
)
ADDRESSES: Final = (
    *("http://", "http://[", "http://[::1", "http://x:y", "http://127.0.0.1:9/x", "http://\udcff"),
    *("http://127.0.0.1:99999/", "https://127.0.0.1:9", "://", "x://y", "file:///", "file:///x"),
    *("rtsp://127.0.0.1:9/" + "a" * 3000, "concat://a|b", "pipe://0", "data://,", "http://a:b@c/"),
    *("127.0.0.1:0", "127.0.0.1:²", "localhost:0", ":0", "0.0.0.0:0", "[::]:0", "a" * 300 + ":0"),
    *("127.0.0.1:" + "9" * 5000, "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:nan", "x:x:x", ":"),
)

PLAIN: Final = {
    "live": ("project", "--source", "demo"),
    "add": ("project", "pictures"),
    "train": ("project",),
    "adapt": ("project", "pictures"),
    "evaluate": ("project",),
    "predict": ("project", "photo.png"),
    "export": ("project",),
    "verify": ("bundle",),
    "save": ("project", "copy"),
    "run": ("bundle", "photo.png", "--no-window"),
    "serve": ("bundle", "photo.png", "--serve", "127.0.0.1:0"),
    "fleet": ("mqtt://127.0.0.1:9", "--once"),
    "demo": ("new", "--no-window", "--backbone", "v2-0.35", "--weights", "text.txt"),
    "cameras": (),
}
"""What each command is asked for; its positional words are put in other's place one by one."""

MINUTES: Final = {
    "export": ("keras", "saved_model", "tfjs", "onnx", "all", "auto", "micro", "edgetpu"),
    "train": ("--fine-tune", "--deep"),
}
"""Words of each command that are in order and take long."""

CHILD: Final = """
import importlib, json, os, shutil, signal, stat, sys, tempfile, threading, traceback
from pathlib import Path
from edge_classifier.commands import cli
from edge_classifier.device.stop import leave
for name in cli.COMMANDS:
    importlib.import_module(f"edge_classifier.commands.{name}")

template, limit_s = Path(sys.argv[1]), int(sys.argv[2])
for words in json.load(sys.stdin):
    with (
        tempfile.TemporaryDirectory(dir=template.parent) as folder,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        place = shutil.copytree(template, Path(folder) / "place", symlinks=True,
                                ignore=shutil.ignore_patterns("pipe"))
        os.mkfifo(place / "pipe")
        if os.geteuid() == 0:
            os.mknod(place / "device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            signal.alarm(limit_s)  # whose default ends it
            os.chdir(place)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            if words[0] == "live":  # its page is served until somebody ends that
                ending = threading.Timer(10, os.kill, (os.getpid(), signal.SIGINT))
                ending.daemon = True
                ending.start()
            status = 70
            try:
                leave(cli.main(words))
            except SystemExit as end:
                status = end.code
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, status, used = os.wait4(child, 0)
        status, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        kept = all((place / name).is_symlink() for name in ("link", "null", "endless"))
        kept = kept and (os.geteuid() != 0 or (place / "device").is_char_device())
        kept = kept and (place / "pipe").is_fifo() and (place / "folder" / "kept").exists()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        print(json.dumps([status, *texts, seconds, kept]), flush=True)
"""
"""A process for each line, forked from one that has imported all: an end by a signal is seen, and
nothing of a line is left to the next one, in memory or on disk."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command line ended.

    Attributes:
        seconds: Of processor time.
        kept: Whether all is in its place that no writer may replace.
    """

    words: tuple[str, ...]
    status: int
    printed: str
    told: tuple[str, ...]
    seconds: float
    kept: bool


def odd_lines(command: str, seed: int = 0) -> list[tuple[str, ...]]:
    """Make command lines: each option and word with each odd value, each flag, several together."""
    parser, plain = command_parser(command), list(PLAIN[command])
    actions = [a for a in parser._actions if a.dest != "help"]  # noqa: SLF001 - argparse has no other way
    options = [a for a in actions if a.option_strings]
    taking = [(a.option_strings[-1], _values_of(a)) for a in options if a.nargs != 0]
    flags = [a.option_strings[0] for a in options if a.nargs == 0]
    lines = [(*plain, f"{option}={value}") for option, values in taking for value in values]
    for place in range(sum(not a.option_strings for a in actions)):
        before, after = plain[:place], plain[place + 1 :]
        lines += [(*before, value, *after) for value in (*PATHS, *TEXTS, *ADDRESSES)]
    lines += [(*plain, flag) for flag in (*flags, "--nonsense", "--help", *TEXTS)]
    lines += [tuple(plain[:n]) for n in range(len(plain)) if command != "demo"]  # or it plays
    chance = random.Random(f"{command} {seed}")  # noqa: S311 - of tests
    for _ in range(20 * min(2, len(taking))):
        some = [f"{o}={chance.choice(v)}" for o, v in chance.sample(taking, min(2, len(taking)))]
        lines.append((*plain, *some, *chance.sample(flags, min(2, len(flags)))))
    lines = [(command, *line) for line in lines if not _takes_minutes((command, *line))]
    chance.shuffle(lines)
    return lines


def _values_of(action: argparse.Action) -> tuple[str, ...]:
    """Choose odd values by what an option says of itself."""
    if action.choices is not None:
        return (*map(str, action.choices), *TEXTS[:8])
    if action.type is Path:
        return (*PATHS, *TEXTS)
    if action.type is None:  # a source, an address, a command
        return (*TEXTS, *PATHS, *ADDRESSES, *NUMBERS)
    return (*NUMBERS, *TEXTS[:8])


def _takes_minutes(line: Sequence[str]) -> bool:
    return not {*"=".join(line[1:]).split("=")}.isdisjoint(MINUTES.get(line[0], ()))


def make_template(folder: Path, project: Path, bundle: Path, picture: Path) -> Path:
    """Lay out the folder that each line finds."""
    folder.mkdir()
    shutil.copytree(project, folder / "project")
    shutil.copytree(bundle, folder / "bundle")
    (folder / "pictures" / "ball").mkdir(parents=True)
    for name in ("photo.png", "pictures/ball/one.png"):
        shutil.copyfile(picture, folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "text.txt").write_text("text\n", encoding="utf-8")
    (folder / "folder").mkdir()
    (folder / "folder" / "kept").touch()
    for name, target in (("link", "nowhere"), ("null", "/dev/null"), ("endless", "endless")):
        (folder / name).symlink_to(target)
    return folder


def outcomes(template: Path, lines: Sequence[tuple[str, ...]], limit_s: int = 120) -> list[Outcome]:
    """Run command lines, each in a process and a copy of the folder of its own."""
    no_screen = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
    offline = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-W", "ignore", "-c", CHILD, str(template), str(limit_s)],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        env=no_screen | offline | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        Outcome(tuple(words), status, printed, tuple(told.splitlines()), seconds, kept)
        for words, (status, printed, told, seconds, kept) in zip(lines, found, strict=True)
    ]


LONG_S: Final = 20.0
"""Of processor time."""


def fault_of(one: Outcome) -> str:
    """Say what is wrong with how a command line ended, if anything is."""
    ours = [line for line in one.told if line.startswith(("edge-classifier", "classify: "))]
    if any(word in line for line in one.told for word in ("Traceback", "Exception", "FATAL")):
        return "a traceback"
    if not one.kept:
        return "something was put out of its place"
    if one.status not in (0, 1, 2, 3, 4, 5):
        return f"status {one.status}"
    if one.status == 2 and (len(ours) != 1 or one.printed):  # noqa: PLR2004 - of usage
        return "not told in one line"
    if one.status == 1 and not one.told:
        return "not told at all"
    if one.status == 0 and any("refused" not in line for line in ours):
        return "told, but not in the exit status"
    if any(len(line) > 6000 for line in one.told):  # noqa: PLR2004 - a longest path, and why
        return "a line that nobody would read"
    return "it takes long" if one.seconds > LONG_S else ""


def main() -> int:
    """Try as many as are asked for of each command; returns 1 if one ended in a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="a trained project")
    parser.add_argument("--bundle", type=Path, required=True, help="exported from it")
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--command", choices=COMMANDS, action="append")
    parser.add_argument("--count", type=int, default=100, help="of each command (100)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(
            Path(folder) / "template", options.project, options.bundle, options.picture
        )
        for command in options.command or COMMANDS:
            lines = odd_lines(command, options.seed)[: options.count]
            for one in outcomes(template, lines):
                fault = fault_of(one)
                counts[fault] += 1
                if fault:
                    words = [word if len(word) < 60 else f"{word[:50]}…" for word in one.words]  # noqa: PLR2004
                    told = "\n    ".join(line[:300] for line in one.told[-6:])
                    sys.stdout.write(
                        f"{fault}: {words}, {one.status}, {one.seconds:.1f} s\n    {told}\n"
                    )
            sys.stdout.write(f"{command}: {len(lines)} lines\n")
            sys.stdout.flush()
    sys.stdout.write(f"{counts.total()} command lines, {counts.total() - counts['']} faults\n")
    return 1 if set(counts) - {""} else 0


if __name__ == "__main__":
    sys.exit(main())
