"""`edge-classifier add`: pictures that are there already become samples."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from edge_classifier.commands import browser
from edge_classifier.commands import options as shared
from edge_classifier.commands.console import open_or_create, stopped_by_ctrl_c, table
from edge_classifier.device.console import SOME_REFUSED, one_line, say
from edge_classifier.device.option_types import number, whole_number
from edge_classifier.errors import InvalidOptionError, InvalidValueError, NotImportableError
from edge_classifier.learning.recordings import recordings_of_thumbnails
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.progress import ProgressMeter
from edge_classifier.project.classes import clean_class_name
from edge_classifier.project.folder import is_blank
from edge_classifier.project.importers import Refusal, Stretch, open_importer
from edge_classifier.project.importers.adding import add
from edge_classifier.project.importers.code_pages import check_code_page
from edge_classifier.project.importers.detect import SingleFileImporter
from edge_classifier.project.importers.tree import some_of
from edge_classifier.project.importers.video import EVERY, VideoImporter
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from edge_classifier.project.importers import Importer
    from edge_classifier.project.importers.adding import ImportReport
    from edge_classifier.project.importers.base import Item

NOTHING_DONE: Final = 1
INTERRUPTED: Final = 130
_NAMED: Final = 3
_DETAILS: Final = re.compile(r"'[^']*'|[0-9][0-9,.]*")
"""What differs in reasons of one kind: names and numbers."""

IF_CANCELLED: Final = "what was added before stays; the same command goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `add`."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="made if it does not exist")
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a folder per class (also below train and validation folders, which stay held out), "
        "a folder of pictures named after their class (dog-1.jpg), a table or JSON list of "
        "files and labels, a .zip, .tar or .tgz of any of these, a Teachable Machine project "
        "(.tm) or its sample archives, a video, a picture",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be added and refused; add nothing"
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        metavar="NAME",
        help="what everything in the paths shows; a video needs it",
    )
    parser.add_argument(
        "--code-page",
        metavar="NAME",
        help="how names in archives are written that do not say so, such as cp866 or gbk "
        "(default: what reads them as words, which is told)",
    )
    parser.add_argument(
        "--split",
        choices=("train", "held-out"),
        help="train on everything in the paths, or hold all of it out to measure on, whatever "
        "folders are called (default: as folders and tables say)",
    )
    shared.add_bursts_option(parser, "folder")
    parser.add_argument(
        "--unlabelled",
        action="store_true",
        help="ask what the pictures show, in groups of like ones, in a window or with --browser; "
        "files stay where they are, and what is not answered is asked the next time",
    )
    browser.add_arguments(parser)
    shared.add_language_option(parser)
    shared.add_backbone_options(parser)
    parser.set_defaults(source=None)
    group = parser.add_argument_group("videos")
    group.add_argument(
        "--every",
        type=whole_number(1, 1_000_000_000),
        metavar="N",
        help=f"take every N-th frame (default: {EVERY})",
    )
    second = number(0, 1e9)
    group.add_argument("--from", type=second, dest="from_s", metavar="S", help="begin at S seconds")
    group.add_argument("--to", type=second, dest="to_s", metavar="S", help="end at S seconds")
    parser.epilog = (
        "Nothing that is in the project is replaced, and no picture is added twice. Exit codes: "
        f"0 all is in, {NOTHING_DONE} nothing could be added, {SOME_REFUSED} some pictures were "
        f"refused (their reasons are told) or the disk is full, {INTERRUPTED} stopped with "
        "Ctrl-C (what was added stays)."
    )


def run(options: argparse.Namespace) -> int:
    """Add what the paths hold."""
    if options.unlabelled:
        from edge_classifier.commands import unlabelled  # noqa: PLC0415 - others need no window

        return unlabelled.run(options)
    for option in ("browser", "https", "language", "weights", "features"):
        if getattr(options, option) is not None:
            raise InvalidOptionError(
                f"--{option} is for --unlabelled, which shows pictures; add it."
            )
    return _add(options)


def _add(options: argparse.Namespace) -> int:
    if options.code_page is not None:
        check_code_page(options.code_page)
    if options.class_name is not None:
        clean_class_name(options.class_name)
    importers, refused = _open_all(options)
    if not importers:
        _say_refused(refused)
        return NOTHING_DONE
    counts = [importer.count for importer in importers]
    with ExitStack() as stack:
        store = _open_project(options.project, importers, stack, dry_run=options.dry_run)
        items: Iterable[Item] = chain.from_iterable(importers)
        bursts = options.bursts
        if options.split is not None:
            items = map(partial(_of_split, held_out=options.split == "held-out"), items)
        if bursts == "folder":
            items = map(_one_burst_a_folder, items)
        elif store and not options.dry_run:
            bursts = project_head_settings(store, {"bursts": bursts}).bursts
        stop = stack.enter_context(stopped_by_ctrl_c())
        progress = stack.enter_context(ProgressMeter("adding"))
        report = add(
            store,
            items,
            total=None if None in counts else sum(count or 0 for count in counts),
            dry_run=store is None or options.dry_run,
            progress=progress,
            cancelled=stop.is_set,
        )
        progress.close()
        report.refused[:0] = refused
        notes = [note for importer in importers for note in importer.notes]
        if options.split is not None:
            notes = [note for note in notes if "--split" not in note]  # as that is said
        report.notes[:0] = notes
        _tell(report, importers, store, dry_run=options.dry_run)
        if bursts != "single":
            _tell_recordings(report)
    if report.cancelled:
        say(f"edge-classifier: cancelled: {IF_CANCELLED}.")
    return _exit_code(report)


def _open_all(options: argparse.Namespace) -> tuple[list[Importer], list[Refusal]]:
    values = (options.every, options.from_s, options.to_s)
    stretch = Stretch(
        every=EVERY if options.every is None else options.every,
        from_s=options.from_s or 0.0,
        to_s=options.to_s,
    )
    importers: list[Importer] = []
    refused: list[Refusal] = []
    for path in options.paths:
        opened = _open(path, options, stretch)
        if isinstance(opened, Refusal):
            refused.append(opened)
        else:
            importers.append(opened)
            if not isinstance(opened, SingleFileImporter):  # a shell may name thousands of them
                say(f"{path}: {opened.description}")
    has_video = any(isinstance(importer, VideoImporter) for importer in importers)
    if values != (None, None, None) and not has_video and not refused:
        raise InvalidValueError(
            "--every, --from and --to choose frames of a video; no video is named."
        )
    return importers, refused


def _open(path: Path, options: argparse.Namespace, stretch: Stretch) -> Importer | Refusal:
    try:
        return open_importer(
            path,
            class_name=options.class_name,
            stretch=stretch,
            code_page=options.code_page,
        )
    except NotImportableError as error:
        return Refusal(str(path), str(error))


def _open_project(
    path: Path, importers: list[Importer], stack: ExitStack, *, dry_run: bool
) -> ProjectStore | None:
    """Open the project, or make it if there is something to put into it."""
    new = is_blank(path)
    if dry_run and not new:
        return stack.enter_context(ProjectStore.open(path, read_only=True))
    if new and (dry_run or not _any_usable(importers)):
        return None
    store = stack.enter_context(open_or_create(path))
    say(f"Project: {path}{' (new)' if new else ''}")
    return store


def _any_usable(importers: list[Importer]) -> bool:
    items = chain.from_iterable(importers)
    return any(add(None, [item], dry_run=True).added_count for item in items)


def _tell(
    report: ImportReport, importers: list[Importer], store: ProjectStore | None, *, dry_run: bool
) -> None:
    _say_refused(report.refused)
    left_alone = [name for importer in importers for name in importer.left_alone]
    if left_alone:
        say(f"Left alone, as they are no pictures: {some_of(left_alone)}")
    for note in report.notes:
        say(f"Note: {note}")
    sys.stdout.write(_table(report, store, dry_run=dry_run))
    sys.stdout.flush()
    parts = report.counts(f"{report.added_count:,} {'would be added' if dry_run else 'added'}")
    say(", ".join(parts) + ".")
    if report.stopped:
        say(f"edge-classifier: {report.stopped} What was added before stays.")


def _of_split(item: Item, *, held_out: bool) -> Item:
    return item if isinstance(item, Refusal) else replace(item, held_out=held_out)


def _one_burst_a_folder(item: Item) -> Item:
    if isinstance(item, Refusal) or item.group is not None:
        return item
    return replace(item, group=str(PurePath(item.source).parent))


def _tell_recordings(report: ImportReport) -> None:
    found = recordings_of_thumbnails(report.thumbnails)
    if found.recordings:
        say(
            f"{found.line}, by the look of them; `train` says what features tell, and with "
            "--bursts single takes each for a single one."
        )


def _table(report: ImportReport, store: ProjectStore | None, *, dry_run: bool) -> str:
    known = store.class_names() if store else ()
    names = list(dict.fromkeys([*known, *report.added, *report.held_out]))
    now = dict.fromkeys(names, 0)
    for sample in (*store.samples(), *store.held_out()) if store else ():
        now[sample.class_name] += 1
    header = ["class", "would be added" if dry_run else "added", "held out", "in the project"]
    rows = [
        [one_line(name), f"{report.added[name]:,}", f"{report.held_out[name]:,}", f"{now[name]:,}"]
        for name in names
    ]
    return table(header, rows) if rows else ""


def _say_refused(refused: list[Refusal]) -> None:
    """Name each with its reason; of many for the same reason, their number and a few."""
    by_reason: dict[str, list[Refusal]] = {}
    for refusal in refused:
        kind = _DETAILS.sub("", refusal.reason.replace(refusal.source, ""))
        by_reason.setdefault(kind, []).append(refusal)
    for alike in by_reason.values():
        if len(alike) <= _NAMED:
            for refusal in alike:
                source, reason = refusal.source, refusal.reason
                # messages made for one file name it themselves
                say(f"refused: {reason if source in reason else f'{source}: {reason}'}")
        else:
            reason = alike[0].reason.replace(alike[0].source, "it").rstrip(".")
            names = ", ".join(refusal.source for refusal in alike[:_NAMED])
            more = len(alike) - _NAMED
            say(f"refused: {reason}, {len(alike):,} times: {names} and {more:,} more")


def _exit_code(report: ImportReport) -> int:
    if report.cancelled:
        return INTERRUPTED
    if not report.refused and not report.stopped:
        return 0
    return SOME_REFUSED if report.added_count or report.duplicates else NOTHING_DONE
