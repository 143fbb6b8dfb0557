"""The fuzzer itself, and a short run of it over every kind of file from outside."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing.mutate import encode_json, mutate_bytes, mutate_json
from fuzzing.seeds import make_seeds
from fuzzing.supervisor import Job, run_target, signature
from fuzzing.target import TARGETS

SHORT = 40


@pytest.fixture(scope="module")
def seeds(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_seeds(tmp_path_factory.mktemp("fuzz") / "seeds", bundle)


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"keras"}))  # that one needs TensorFlow
def test_no_spoilt_file_does_more_than_be_refused(target: str, seeds: Path, tmp_path: Path) -> None:
    outcome = run_target(Job(target, 20261122, 0, SHORT, None, seeds, tmp_path))
    assert outcome.findings == {}
    assert outcome.inputs == SHORT
    assert outcome.accepted + outcome.refused == SHORT


def test_the_same_seed_spoils_the_same_bytes_in_the_same_way() -> None:
    def spoil(seed: str) -> tuple[bytes, bytes]:
        rng = random.Random(seed)  # noqa: S311 - not a secret
        document = {"classes": [{"name": "mug"}], "number": 1.5}
        return mutate_bytes(rng, b"0123456789" * 9, [b"abc"]), encode_json(
            rng, mutate_json(rng, document)
        )

    assert spoil("a:1") == spoil("a:1")
    assert spoil("a:1") != spoil("a:2")


def test_findings_are_told_apart_by_where_and_what() -> None:
    problem = (
        'Traceback (most recent call last):\n  File "/x/fuzzing/worker.py", line 9, in _run\n'
        "  File \"/x/edge_classifier/names.py\", line 12, in clean\nKeyError: 'some name 123'\n"
    )
    assert signature(problem) == "names.py:12 clean: KeyError: …"


_FORBIDDEN = {
    "writes outside": "open(outside, 'w')",
    "makes a folder outside": "os.mkdir(outside)",
    "starts a program": "subprocess.run(['true'])",
    "connects": "socket.create_connection(('127.0.0.1', port), 1)",
    "unpickles": "pickle.loads(b'cposix\\nsystem\\n.')",
}


@pytest.mark.parametrize("statement", _FORBIDDEN.values(), ids=_FORBIDDEN)
def test_the_watch_refuses_and_tells_what_a_reader_may_not_do(
    statement: str, tmp_path: Path
) -> None:
    (tmp_path / "inside").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = (
            "import os, pickle, socket, subprocess\nfrom pathlib import Path\n"
            "from fuzzing.sandbox import Watch\n"
            f"watch, port = Watch(Path({str(tmp_path / 'inside')!r})), {server.getsockname()[1]}\n"
            f"outside = {str(tmp_path / 'outside')!r}\nwatch.active = True\n"
            f"open({str(tmp_path / 'inside' / 'fine')!r}, 'w').close()\n"
            f"try:\n    {statement}\nexcept PermissionError:\n    pass\n"
            "watch.active = False\nassert len(watch.offences) == 1, watch.offences\n"
        )
        tools = str(Path(sys.modules["fuzzing"].__path__[0]).parent)
        subprocess.run(  # noqa: S603 - our own lines
            [sys.executable, "-c", program],
            check=True,
            env={**os.environ, "PYTHONPATH": tools},
            timeout=60,
        )
    assert not (tmp_path / "outside").exists()
