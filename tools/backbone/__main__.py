"""Train the built-in backbone: distil two MobileNet v2 teachers into a small MobileNet v1.

Four steps, each a subcommand:

``prepare``
    Cut views out of folders of unlabelled pictures, run the teachers on them once and keep
    everything on disk.  Needs TensorFlow and LiteRT.
``train``
    Train the student on the views until a given time, resuming from its last checkpoint; the
    last minutes are a branch with a falling learning rate that is written out for use.  Needs
    PyTorch.
``convert``
    Turn trained weights into the files in ``models/``.  Needs TensorFlow, LiteRT and this
    package, installed or on PYTHONPATH.
``evaluate``
    Few-shot accuracy of TFLite extractors on folders that were not trained on.  Needs LiteRT.

Each step imports its own needs (the noqa marks), so no environment has to hold them all.
``models/README.md`` has the commands that made the shipped files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

_TASK = "NAME=FOLDER[,TEST FOLDER]"


def _prepare(options: argparse.Namespace) -> None:
    from backbone import conversion, preparation, views  # noqa: PLC0415

    pools = [views.Pool.parse(text) for text in options.pool]
    preparation.prepare(
        preparation.plan(pools, options.views, options.shard_size, options.seed),
        options.views,
        lambda size: (
            conversion.build_teacher(options.wide_weights, 1.0, size, maps=True),
            conversion.build_teacher(options.narrow_weights, 0.35, size, maps=False),
        ),
        options.workers or views.thread_limit(),
    )


def _train(options: argparse.Namespace) -> None:
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    from backbone import evaluation, training, views  # noqa: PLC0415
    from backbone.distillation import Distillation, Settings, parse_sizes  # noqa: PLC0415

    training.calm_allocator()
    torch.set_num_threads(options.threads or views.thread_limit())
    options.state.mkdir(parents=True, exist_ok=True)
    store = views.ViewStore(options.views)
    settings = Settings(
        alpha=options.alpha,
        seed=options.seed,
        batch=options.batch,
        sizes=parse_sizes(options.sizes),
        branch_sizes=tuple(int(size) for size in options.branch_sizes.split(",")),
        matrix_rate=options.matrix_rate,
        rate=options.rate,
        average=options.average,
        optimizer=options.optimizer,
    )
    with np.load(options.top) as top:
        distillation = Distillation(settings, store, dict(top))
    checkpoint = options.state / "checkpoint.pt"
    if checkpoint.exists():
        if not options.resume:
            raise SystemExit(f"{checkpoint} exists: add --resume, or choose another --state")
        distillation.restore(torch.load(checkpoint, weights_only=True))
    (options.state / "train.pid").write_text(f"{os.getpid()}\n")
    if options.until:
        now = datetime.now().astimezone()
        hour, minute = (int(part) for part in options.until.split(":"))
        end = now.replace(hour=hour, minute=minute, second=0)
        until = (end if end > now else end + timedelta(days=1)).timestamp()
    else:
        until = time.time() + options.minutes * 60
    print(f"{len(store)} views {store.counts}; {settings}", flush=True)
    episodes = evaluation.load(options.task, 160) if options.task else None
    clock = training.Clock(until, options.branch_minutes, options.report_minutes)
    training.Run(options.state, distillation, store, episodes).run(clock)


def _evaluate(options: argparse.Namespace) -> None:
    from backbone import evaluation, extraction  # noqa: PLC0415

    table = {}
    for path in options.model:
        extract = extraction.Extractor(path)
        tasks = evaluation.load(options.task, extract.size)
        table[path.stem] = evaluation.accuracies(tasks, extract)
        scores = "  ".join(f"{key} {value:.3f}" for key, value in table[path.stem].items())
        print(f"{path.stem}: {scores}", flush=True)
    if options.output:
        options.output.write_text(json.dumps(table, indent=1) + "\n")


def _convert(options: argparse.Namespace) -> None:
    from backbone import conversion  # noqa: PLC0415

    conversion.convert(options.student, options.output, options.size)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = commands.add_parser("prepare", help="make training views and the teachers' answers")
    prepare.add_argument(
        "--pool",
        action="append",
        required=True,
        metavar="NAME=FOLDER[,VIEWS[,PIXELS[,TEACHER]]]",
        help="folder of pictures, views of each, side of the stored crops and of the teachers'"
        " input in pixels (default 1,160,224); can be given several times",
    )
    prepare.add_argument("--views", type=Path, required=True, help="folder for the views")
    prepare.add_argument(
        "--wide-weights", type=Path, required=True, help="MobileNet v2 1.0 without top (Keras)"
    )
    prepare.add_argument(
        "--narrow-weights", type=Path, required=True, help="MobileNet v2 0.35 without top (Keras)"
    )
    prepare.add_argument("--shard-size", type=int, default=2048, help="views in one shard")
    prepare.add_argument("--seed", type=int, default=0)
    prepare.add_argument("--workers", type=int, default=0, help="processes (0: one per core)")
    prepare.set_defaults(call=_prepare)

    train = commands.add_parser("train", help="train the student until a given time")
    train.add_argument("--views", type=Path, required=True, help="folder made by 'prepare'")
    train.add_argument("--state", type=Path, required=True, help="folder for checkpoints")
    train.add_argument(
        "--top", type=Path, required=True, help="v2 1.0's classification layer: kernel, bias (npz)"
    )
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    end = train.add_mutually_exclusive_group(required=True)
    end.add_argument("--until", metavar="HH:MM", help="wall-clock time of the end, branch included")
    end.add_argument("--minutes", type=float, help="minutes until the end, branch included")
    train.add_argument("--branch-minutes", type=float, default=20, help="falling learning rate")
    train.add_argument("--report-minutes", type=float, default=8, help="between lines of the curve")
    train.add_argument("--task", action="append", metavar=_TASK, help="few-shot task to report")
    train.add_argument("--alpha", type=float, default=0.5, help="width of the student")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--batch", type=int, default=128)
    train.add_argument(
        "--sizes", default="96:200000,128", help="input sides, each until so many pictures seen"
    )
    train.add_argument("--branch-sizes", default="128,160", help="input sides of the branch")
    train.add_argument("--matrix-rate", type=float, default=0.03, help="Muon's relative step")
    train.add_argument("--rate", type=float, default=2e-3, help="AdamW's learning rate")
    train.add_argument("--average", type=float, default=0.998, help="moving average per batch")
    train.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    train.add_argument("--threads", type=int, default=0, help="0: one per core")
    train.set_defaults(call=_train)

    convert = commands.add_parser("convert", help="write the files of models/")
    convert.add_argument("--student", type=Path, required=True, help="student.npz of 'train'")
    convert.add_argument("--output", type=Path, required=True, help="folder for the files")
    convert.add_argument("--size", type=int, default=160, help="input side in pixels")
    convert.set_defaults(call=_convert)

    evaluate = commands.add_parser("evaluate", help="few-shot accuracy of TFLite extractors")
    evaluate.add_argument("--model", type=Path, action="append", required=True)
    evaluate.add_argument("--task", action="append", required=True, metavar=_TASK)
    evaluate.add_argument("--output", type=Path, help="JSON file for the results")
    evaluate.set_defaults(call=_evaluate)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return the exit status."""
    options = _parser().parse_args(arguments)
    options.call(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
