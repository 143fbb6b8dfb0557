"""Licences of everything that is installed with the package, directly or by way of others.

    python tools licences                # what a user installs
    python tools licences --extra test dev
    python tools licences --markdown

What is read is the metadata that each distribution brings along in this environment: the SPDX
expression of PEP 639 where there is one, else its trove classifiers, else the free text.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from edge_classifier.commands.console import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGE: Final = "edge-classifier"
_TROVE: Final = "License :: "
_LONGEST: Final = 60
_NAMES: Final = ("Apache License", "MIT License", "BSD", "Mozilla Public License", "GNU")
_UNKNOWN: Final = "UNKNOWN"
# https://www.gnu.org/licenses/: what such a licence asks for reaches beyond its own files.
_COPYLEFT: Final = re.compile(r"\b(A?GPL|LGPL|MPL|EUPL|CDDL|GNU)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Licence:
    """What a distribution may be used under.

    Attributes:
        name: The distribution.
        version: The one that is installed; empty if it is not.
        licence: In its own words, short.
        needed_by: Who asks for it.
    """

    name: str
    version: str
    licence: str
    needed_by: str

    @property
    def copyleft(self) -> bool:
        """Whether the licence is one that asks something of those who pass it on with others."""
        return _COPYLEFT.search(self.licence) is not None


def licences(requirements: Iterable[str]) -> list[Licence]:
    """Follow requirements to all distributions that they lead to.

    Args:
        requirements: As in `pyproject.toml`.

    Returns:
        One entry a distribution, sorted by name.
    """
    found: dict[str, Licence] = {}
    waiting = [(Requirement(text), _PACKAGE) for text in requirements]
    while waiting:
        requirement, needed_by = waiting.pop(0)
        name = canonicalize_name(requirement.name)
        if name in found or not _applies(requirement):
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            found[name] = Licence(name, "", "not installed", needed_by)
            continue
        found[name] = Licence(name, distribution.version, licence_of(distribution), needed_by)
        waiting += [
            (inner, name)
            for inner in _inner(distribution)
            if _applies(inner) or any(_applies(inner, extra) for extra in requirement.extras)
        ]
    return sorted(found.values(), key=lambda licence: licence.name)


def licence_of(distribution: metadata.Distribution) -> str:
    """Read the licence of a distribution, in its own words, on one short line."""
    about = distribution.metadata
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith(_TROVE)]
    names = [c.rpartition(" :: ")[2] for c in classifiers if c != f"{_TROVE}OSI Approved"]
    words = [*(about.get_all("License-Expression") or []), ", ".join(names)]
    words += [line for text in about.get_all("License") or [] for line in text.splitlines()[:5]]
    words += [_named_in(file) for file in distribution.files or []]
    return next((word.strip()[:_LONGEST] for word in words if word.strip()), _UNKNOWN)


def _named_in(file: metadata.PackagePath) -> str:
    """Find the name of a licence in its text, if a file is one."""
    if not file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return next((f"{name} (by its text)" for name in _NAMES if name in text), "")


def _inner(distribution: metadata.Distribution) -> list[Requirement]:
    try:
        return [Requirement(text) for text in distribution.requires or []]
    except InvalidRequirement as error:
        raise SystemExit(f"What {distribution.name} asks for cannot be read: {error}") from error


def _applies(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _requirements(extras: Sequence[str]) -> list[str]:
    """Read what the package asks for, from its own metadata or from `pyproject.toml`."""
    from pathlib import Path  # noqa: PLC0415 - here only

    try:
        texts = metadata.distribution(_PACKAGE).requires or []
        requirements = [Requirement(text) for text in texts]
        wanted = [
            r for r in requirements if _applies(r) or any(_applies(r, extra) for extra in extras)
        ]
        return [f"{r.name}[{','.join(r.extras)}]" if r.extras else r.name for r in wanted]
    except metadata.PackageNotFoundError:
        text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
        groups = ["dependencies", *extras]
        lists = (
            re.search(rf"^{group} = \[(.*?)\]", text, re.MULTILINE | re.DOTALL) for group in groups
        )
        return [entry for found in lists if found for entry in re.findall(r'"([^"]+)"', found[1])]


def main() -> int:
    """Print the table; returns 1 if a licence is not known."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--extra", nargs="+", default=[], help="of the package: test, dev")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found = licences(_requirements(options.extra))
    header = ["distribution", "version", "licence", "needed by"]
    rows = [[f.name, f.version, f.licence, f.needed_by] for f in found]
    if options.markdown:
        lines = [header, ["---"] * len(header), *rows]
        sys.stdout.write("".join(f"| {' | '.join(cells)} |\n" for cells in lines))
    else:
        sys.stdout.write(table(header, rows))
    copyleft = [f.name for f in found if f.copyleft]
    unknown = [f.name for f in found if f.licence in {_UNKNOWN, "not installed"}]
    sys.stdout.write(f"\n{len(found)} distributions; copyleft: {', '.join(copyleft) or 'none'}; ")
    sys.stdout.write(f"not known: {', '.join(unknown) or 'none'}\n")
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
