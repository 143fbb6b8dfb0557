from __future__ import annotations

from importlib import metadata

from licences import licence_of, licences


def test_distributions_are_followed_to_those_that_they_need() -> None:
    found = {licence.name: licence for licence in licences(["pytest>=8"])}
    assert found["pytest"].needed_by == "edge-classifier"
    assert found["pluggy"].needed_by == "pytest"
    assert found["pluggy"].licence == "MIT License" or found["pluggy"].licence == "MIT"
    assert found["pytest"].version == metadata.version("pytest")


def test_what_is_not_for_this_system_or_not_installed_is_told_apart() -> None:
    found = licences(["nothing-of-this-name", "pywin32; sys_platform == 'no such system'"])
    assert [(f.name, f.licence) for f in found] == [("nothing-of-this-name", "not installed")]


def test_a_licence_is_one_short_line() -> None:
    for distribution in metadata.distributions():
        assert "\n" not in licence_of(distribution)
