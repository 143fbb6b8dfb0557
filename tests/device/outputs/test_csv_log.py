"""A table that grows by a row for each new label, on disks as they are."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.answers import Said, tell, wait_until
from support.mounts import named_pipe, read_only, small_disk

from edge_classifier.device.errors import InvalidValueError
from edge_classifier.device.outputs.csv_log import CsvLog
from edge_classifier.device.outputs.on_change import OnChange

if TYPE_CHECKING:
    from pathlib import Path


def change(label: str) -> dict[str, Any]:
    about = {"score": 0.75, "similarity": None, "source": "camera 0", "frame": 7}
    return {"time": "2026-11-28T01:02:03.456+01:00", "label": label, **about}


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_each_new_label_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for label in ("mug", "växt 🌱"):  # the second run goes on in the same table
        output = OnChange([CsvLog(path)], frames=2)
        tell(output, label)
        tell(output, label)
        output.close()
    head, first, second = rows(path)
    assert head == ["time", "label", "score", "similarity", "source", "frame"]
    assert first[1:] == ["mug", "0.75", "0.875", "camera 0", "0"]
    assert second[1] == "växt 🌱"


@pytest.mark.parametrize("label", ['a,"b"', "a\nb", "\udcff", ""])
def test_any_label_is_one_field(label: str, tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv")
    assert log.tell(change(label)) == ""
    assert rows(tmp_path / "log.csv")[1] == [
        "2026-11-28T01:02:03.456+01:00",
        label.encode("utf-8", "backslashreplace").decode(),
        *("0.75", "", "camera 0", "7"),
    ]


def test_a_table_that_is_full_is_begun_anew_and_five_are_kept(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv", most_bytes=200)
    for number in range(30):
        assert log.tell(change(str(number))) == ""
    names = ["log.csv", *(f"log.csv.{n}" for n in range(1, 6))]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    labels = [row[1] for name in reversed(names) for row in rows(tmp_path / name)[1:]]
    assert labels == [str(n) for n in range(30 - len(labels), 30)]
    assert all(rows(tmp_path / name)[0][0] == "time" for name in names)


def test_what_is_something_else_is_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="holds something else; name another file"):
        CsvLog(tmp_path / "mine.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    named_pipe(tmp_path / "pipe")
    said = CsvLog(tmp_path / "pipe").tell(change("mug"))
    assert said.startswith(f"{tmp_path / 'pipe'} cannot be written to (")


def test_a_folder_that_cannot_be_written_in_is_said_once_and_what_came_meanwhile_is_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys)
    with read_only(tmp_path):
        output = OnChange([CsvLog(tmp_path / "log.csv")], frames=1)
        for label in ("mug", "phone"):
            tell(output, label)
        wait_until(lambda: said.lines)
    wait_until((tmp_path / "log.csv").exists)
    output.close()
    assert [row[1] for row in rows(tmp_path / "log.csv")[1:]] == ["mug", "phone"]
    where, goes_on = said.lines
    assert where.startswith(f"--csv: {tmp_path / 'log.csv'} cannot be written to (")
    assert goes_on == "--csv: goes on."


def test_a_full_disk_leaves_the_rows_that_fit_whole(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        log = CsvLog(disk / "log.csv")
        (disk / "other").write_bytes(bytes(52 * 1024))
        said = ""
        for number in range(2000):
            said = log.tell(change(str(number)))
            if said:
                break
        assert "No space left on device" in said
        before = rows(disk / "log.csv")
        assert all(len(row) == 6 for row in before)
        (disk / "other").unlink()
        assert log.tell(change("mug")) == ""
        assert [row[1] for row in rows(disk / "log.csv")[-2:]] == [before[-1][1], "mug"]
