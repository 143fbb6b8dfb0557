"""Names of classes and files, through every door: none ever leaves the project's folder."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.picture_files import picture_bytes

from edge_classifier.errors import EdgeClassifierError, ProjectFormatError
from edge_classifier.project.importers import open_importer
from edge_classifier.project.importers.adding import add
from edge_classifier.project.picture_file import encode_file, read_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Callable

ESCAPES = (
    *("../evil", "..", ".", "../../evil", "/evil", "a/../../evil", "a/b", "a\\..\\..\\evil"),
    *("C:\\evil", "C:evil", "\\\\host\\evil", "//host/evil", "~/evil", "evil\x00", "NUL", "com1.x"),
    *("samples/../../evil", "．．／evil", "..\u2215evil", "\u202eevil", "evil.", ".evil", "a:b"),  # noqa: RUF001 - look-alikes
)


def by_key(project: Path, name: str) -> None:
    with ProjectStore.open_or_create(project) as store:
        stored = store.add_class(name)
        encoded = encode_file(picture_bytes(1), "a picture")
        store.add_sample(encoded, stored, store.next_burst_id())


def by_classes(project: Path, name: str) -> None:
    ProjectStore.open_or_create(project, [name]).close()


def by_renaming(project: Path, name: str) -> None:
    with ProjectStore.open_or_create(project, ["mug"]) as store:
        encoded = encode_file(picture_bytes(1), "a picture")
        store.add_sample(encoded, "mug", store.next_burst_id())
        store.rename_class("mug", name)


def by_project_file(project: Path, name: str) -> None:
    by_key(project, "mug")
    document = json.loads((project / "project.json").read_text("utf-8"))
    document["classes"] += [{"name": name, "colour": "#123456", "renamed_from": name}]
    (project / "project.json").write_text(json.dumps(document), encoding="utf-8")
    by_key(project, "another one")
    with ProjectStore.open(project) as store:
        store.remove_class(name)


def by_note_of_renaming(project: Path, name: str) -> None:
    by_key(project, "mug")
    document = json.loads((project / "project.json").read_text("utf-8"))
    document["classes"][0]["renamed_from"] = name
    (project / "project.json").write_text(json.dumps(document), encoding="utf-8")
    ProjectStore.open(project).close()


def verbatim(name: str) -> zipfile.ZipInfo:
    """Make an archive's entry of exactly this name: the library would cut it at the first NUL."""
    entry = zipfile.ZipInfo("entry")
    entry.filename = name
    return entry


def by_zip(project: Path, name: str) -> None:
    archive = project.with_name("set.zip")
    with zipfile.ZipFile(archive, "w") as file:
        with suppress(UnicodeEncodeError):
            file.writestr(verbatim(f"{name}/1.jpg"), picture_bytes(1))
        file.writestr("mug/2.jpg", picture_bytes(2))
    with ProjectStore.open_or_create(project) as store:
        add(store, open_importer(archive))


def by_teachable_machine(project: Path, name: str) -> None:
    archive = project.with_name("set.tm")
    with zipfile.ZipFile(archive, "w") as file:
        with suppress(UnicodeEncodeError):
            file.writestr(verbatim(f"{name}-!-1.jpg"), picture_bytes(1))
        file.writestr("mug-!-2.jpg", picture_bytes(2))
    with ProjectStore.open_or_create(project) as store:
        add(store, open_importer(archive))


def by_table(project: Path, name: str) -> None:
    project.with_name("1.jpg").write_bytes(picture_bytes(1))
    cell = name.replace('"', '""')
    table = f'file,label\n1.jpg,"{cell}"\n"{cell}",mug\n'
    project.with_name("set.csv").write_bytes(table.encode("utf-8", "surrogatepass"))
    with ProjectStore.open_or_create(project) as store:
        add(store, open_importer(project.with_name("set.csv")))


def by_option(project: Path, name: str) -> None:
    project.with_name("1.jpg").write_bytes(picture_bytes(1))
    with ProjectStore.open_or_create(project) as store:
        add(store, open_importer(project.with_name("1.jpg"), class_name=name))


DOORS = (
    *(by_key, by_classes, by_renaming, by_project_file, by_note_of_renaming),
    *(by_zip, by_teachable_machine, by_table, by_option),
)


def tree(folder: Path) -> set[str]:
    return {
        os.path.join(here, name)  # noqa: PTH118 - names that are no text, too
        for here, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }


def enter(door: Callable[[Path, str], None], name: str) -> None:
    """Go through a door; look at everything around the project before and after."""
    with tempfile.TemporaryDirectory() as around:
        project = Path(around, "deep", "inside", "project")
        project.parent.mkdir(parents=True)
        given_files = {"set.zip", "set.tm", "set.csv", "1.jpg"}
        with suppress(EdgeClassifierError):
            door(project, name)
        outside = {path for path in tree(Path(around)) if not path.startswith(str(project))}
        left = {Path(path).relative_to(around).as_posix() for path in outside}
        assert left - {f"deep/inside/{n}" for n in given_files} <= {"deep", "deep/inside"}
        if (project / "samples").exists():
            for path in (project / "samples").iterdir():
                assert path.is_dir()
                assert all(p.is_file() for p in path.iterdir())


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_would_lead_elsewhere_stays_inside(
    door: Callable[[Path, str], None], name: str
) -> None:
    enter(door, name)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(DOORS),
    st.one_of(
        st.text("./\\ :~conNUL\u0301é\u200d杯\x00\n", max_size=9),
        st.text(st.characters(exclude_categories=[]), max_size=9),
    ),
)
@example(by_zip, "../" * 9 + "evil")
@example(by_zip, "\x00")
@example(by_teachable_machine, "\x00")
def test_whatever_a_class_is_called_nothing_is_written_elsewhere(
    door: Callable[[Path, str], None], name: str
) -> None:
    enter(door, name)


@pytest.mark.parametrize(
    "names", [["Mug", "mug"], ["é", "e\u0301"], ["stra\u00dfe", "STRASSE"], ["a\u200db", "ab"]]
)
def test_two_names_that_a_file_system_may_not_tell_apart_are_refused_in_a_project_file(
    names: list[str], tmp_path: Path
) -> None:
    by_key(tmp_path / "p", "x")
    document = json.loads((tmp_path / "p" / "project.json").read_text("utf-8"))
    document["classes"] = [{"name": name, "colour": "#123456"} for name in names]
    (tmp_path / "p" / "project.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ProjectFormatError, match=r"differs from|not in its stored|already"):
        ProjectStore.open(tmp_path / "p")


def test_pictures_of_any_name_are_read_where_they_lie(tmp_path: Path) -> None:
    by_key(tmp_path / "p", "mug")
    folder = tmp_path / "p" / "samples" / "mug"
    names = [b"..jpg", b"-rf.jpg", b"$(touch x).jpg", b"a\nb.jpg", b"\x1b[2J.jpg", b"\xff\xfe.jpg"]
    for number, name in enumerate(names):
        with suppress(OSError):
            Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(picture_bytes(number))
    before = tree(tmp_path)
    with ProjectStore.open(tmp_path / "p") as store:
        assert len(store.samples()) >= 4
        for sample in store.samples():
            assert read_image(sample.path).size
            assert sample.path.parent == folder
    assert {p for p in tree(tmp_path) - before if "/cache" not in p} == set()


def test_a_link_in_the_place_of_a_class_folder_is_not_followed(tmp_path: Path) -> None:
    by_key(tmp_path / "p", "mug")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "p" / "samples" / "cup").symlink_to(tmp_path / "elsewhere")
    with ProjectStore.open(tmp_path / "p") as store, pytest.raises(ProjectFormatError):
        store.add_class("cup")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_archive_gives_nothing_but_what_it_holds(tmp_path: Path) -> None:
    """A table in an archive cannot name a file of this machine."""
    (tmp_path / "secret.jpg").write_bytes(picture_bytes(9))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        rows = ["file,label", "1.jpg,mug", "../secret.jpg,mug", f"{tmp_path}/secret.jpg,mug"]
        file.writestr("labels.csv", "\n".join(rows))
        file.writestr("1.jpg", picture_bytes(1))
    (tmp_path / "set.zip").write_bytes(buffer.getvalue())
    with ProjectStore.create(tmp_path / "p") as store:
        report = add(store, open_importer(tmp_path / "set.zip"))
    assert report.added_count == 1
    assert [refusal.reason for refusal in report.refused] == ["there is no such file"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_files_named_with_any_bytes_are_samples_and_what_is_left_alone_is_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = tmp_path / "project"
    by_key(project, "mug")
    folder = os.fsencode(project / "samples" / "mug")
    odd = (b"a\nb", b"\xff\xfe", b"\x1b[31mred", b"x\r", b"\xe2\x80\xae", b"-rf", b" ", b"\xc3(")
    for number, name in enumerate(odd):
        Path(os.fsdecode(folder + b"/" + name + b".jpg")).write_bytes(picture_bytes(10 + number))
    for name in (b"not\nes.txt", b"\xff.txt", b"\x1b[2J.gif.exe"):
        Path(os.fsdecode(folder + b"/" + name)).touch()
    for _ in range(2):  # the second time by the index of hashes
        caplog.clear()
        with ProjectStore.open(project) as store:
            assert len(store.samples()) == 1 + len(odd)
            store.put_back(store.remove_samples(store.samples()[: len(odd)]))
            store.rename_class("mug", "cup")
            store.put_back(store.remove_class("cup"))
            store.rename_class("cup", "mug")
        (record,) = caplog.records
        assert record.getMessage().isprintable()
    with ProjectStore.open(project) as store:
        assert len(store.samples()) == 1 + len(odd)
        assert all(read_image(sample.path).size for sample in store.samples())
