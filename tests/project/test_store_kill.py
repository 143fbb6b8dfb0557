"""A kill at a random moment, again and again, loses nothing (by the hundred: tools/endurance)."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 60

# Forks a victim per line read, so that a round does not wait for imports.
NURSERY = """
import json, os, random, sys
from pathlib import Path
import numpy as np
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

def live(path, log, seed):
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    tell = lambda *what: os.write(out, (json.dumps(what) + "\\n").encode())
    chance, pixels = random.Random(seed), np.random.default_rng(seed)
    store = ProjectStore.open_or_create(path, ["first"])
    tell("opened")
    removed = []
    for step in range(10_000):
        names, act = store.class_names(), chance.random()
        if act < 0.6 and names:
            name, burst_id = chance.choice(names), store.next_burst_id()
            for _ in range(3):
                image = pixels.integers(0, 256, (24, 32, 3), dtype=np.uint8)
                sample = store.add_sample(encode_image(image), name, burst_id)
                tell("added", sample.image_sha256)
        elif act < 0.7 and store.samples():
            last = max(s.burst_id for s in store.samples())
            tell("removing", *[s.image_sha256 for s in store.samples() if s.burst_id == last])
            removed.append(store.remove_burst(last))
        elif act < 0.85 and names:
            store.rename_class(chance.choice(names), f"class {seed} {step}")
        elif act < 0.88 and len(names) > 3:
            name = chance.choice(names)
            tell("removing", *[s.image_sha256 for s in store.samples() if s.class_name == name])
            removed.append(store.remove_class(name))
        elif act < 0.91 and removed:
            again = removed.pop()
            store.put_back(again)
            tell("added", *[s.image_sha256 for s in again.samples.samples] if again.samples else [])
        elif act < 0.95 or not names:
            store.add_class(f"class {seed} {step}")
        else:
            tell("copying", len(store.samples()))
            store.save_as(path.parent / f"copy-{seed}-{step}")

for line in sys.stdin:
    path, log, seed = json.loads(line)
    pid = os.fork()
    if pid == 0:
        live(Path(path), log, seed)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_a_project_killed_at_random_moments_opens_with_every_acknowledged_sample(
    tmp_path: Path,
) -> None:
    if sys.platform == "win32":
        pytest.skip("victims are forked")
    path, log = tmp_path / "project", tmp_path / "log"
    seen = 0
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for seed in range(ROUNDS):
            print(json.dumps([str(path), str(log), seed]), file=nursery.stdin, flush=True)
            chance = random.Random(seed)  # noqa: S311 - the moment of the kill
            written = log.stat().st_size if log.exists() else 0
            pid = int(nursery.stdout.readline())
            # By what the victim has done, not by the clock: a busy machine kills as late.
            wait_until_written(log, written + chance.randint(0, 2500))
            time.sleep(chance.uniform(0, 0.004))
            os.kill(pid, signal.SIGKILL)
            assert int(nursery.stdout.readline()) == signal.SIGKILL, f"round {seed} ended by itself"
            seen = check(path, log)
        nursery.stdin.close()
    assert seen > ROUNDS, "the victims hardly did anything"
    copies = list(tmp_path.glob("copy-*"))
    for copy in copies:
        ProjectStore.open(copy).close()
    assert copies, "no copy was ever completed"


def wait_until_written(log: Path, size: int) -> None:
    """Wait until the victim has told so many bytes of what it did."""
    deadline = time.monotonic() + 20
    while (log.stat().st_size if log.exists() else 0) < size and time.monotonic() < deadline:
        time.sleep(0.0002)


def check(path: Path, log: Path) -> int:
    """Open the project as its user would, and compare it with what was acknowledged."""
    expected: set[str] = set()
    for line in log.read_text().splitlines() if log.exists() else []:
        kind, *hashes = json.loads(line)
        if kind == "added":
            expected.update(hashes)
        elif kind == "removing":
            expected.difference_update(hashes)
    with ProjectStore.open_or_create(path) as store:
        samples = store.samples()
        for sample in samples:
            assert read_image(sample.path).shape == (24, 32, 3)
            assert hashlib.sha256(sample.path.read_bytes()).hexdigest() == sample.image_sha256
        assert expected <= {sample.image_sha256 for sample in samples}
        assert not list(path.rglob(".tmp-*"))
    return len(samples)
