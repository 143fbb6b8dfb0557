"""Fuzzer over everything that is read from outside.

    python tools fuzzing                                  # 20,000 inputs a target, 40 minutes
    python tools fuzzing --target zip --inputs 300 --seed 7
    python tools fuzzing --target zip --seed 7 --first 123 --inputs 1     # one input again

Each target is a reader. Its inputs are honest files that the tool made itself, spoilt byte by
byte or field by field by a generator with a seed, so every input can be made again by its number.
They run in a worker process of their own. What counts as a finding: any exception but those that
are told in one line; more than 5 s of processor time; more than 1 GB of resident memory; the end
of the process; writing outside of the project, starting a program, opening a connection, or
unpickling (Python's audit hooks tell of these). The input and what happened are kept in
`OUT/findings`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from edge_classifier.commands.console import table
from fuzzing.seeds import make_seeds
from fuzzing.supervisor import Job, as_row, run_target
from fuzzing.target import TARGETS


def main() -> int:
    """Run the targets that were asked for; returns 1 if there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--inputs", type=int, default=20_000, help="of each target")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="no longer than this on each target")
    parser.add_argument("--bundle", type=Path, help="take this bundle instead of exporting one")
    parser.add_argument("--out", type=Path, help="where inputs and findings go")
    options = parser.parse_args()
    out = (options.out or Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}").resolve()
    seeds = make_seeds(out / "seeds", options.bundle)
    found = False
    rows: list[dict[str, object]] = []
    for name in options.target:
        job = Job(name, options.seed, options.first, options.inputs, options.seconds, seeds, out)
        outcome = run_target(job)
        rows.append(as_row(outcome))
        print(f"{name}: {rows[-1]}", flush=True)
        for what, (number, count) in sorted(outcome.findings.items()):
            found = True
            print(f"  {count} x {what}  (--target {name} --seed {options.seed} --first {number})")
    print(f"\nseed {options.seed}; findings are in {out / 'findings'}")
    header = list(rows[0])
    sys.stdout.write(
        table(
            header,
            [[f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()] for row in rows],
        )
    )
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
