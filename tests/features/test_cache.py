from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_classifier.errors import InvalidValueError, ProjectError
from edge_classifier.features.cache import FileFeatureCache

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import Features

D = 16


def row(number: int, dim: int = D) -> Features:
    return np.random.default_rng(number).normal(size=dim).astype(np.float32)


def name(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def filled(folder: Path, count: int = 5) -> FileFeatureCache:
    cache = FileFeatureCache(folder, "key", D)
    for number in range(count):
        cache.append(name(number), row(number))
    cache.close()
    return cache


def expect(cache: FileFeatureCache, numbers: list[int]) -> None:
    names, features = cache.load()
    assert names == [name(n) for n in numbers]
    assert features.dtype == np.float32
    assert features.shape == (len(numbers), D)
    for number, got in zip(numbers, features, strict=True):
        assert np.array_equal(got, row(number))


def test_an_empty_cache_has_no_rows_of_the_right_width(tmp_path: Path) -> None:
    expect(FileFeatureCache(tmp_path / "none", "key", D), [])


def test_features_are_there_again_bit_for_bit_after_reopening(tmp_path: Path) -> None:
    filled(tmp_path / "new")
    expect(FileFeatureCache(tmp_path / "new", "key", D), [0, 1, 2, 3, 4])


def test_what_was_appended_can_be_read_by_others_before_it_is_closed(tmp_path: Path) -> None:
    cache = FileFeatureCache(tmp_path, "key", D)
    cache.append(name(0), row(0))
    expect(FileFeatureCache(tmp_path, "key", D), [0])
    cache.append(name(1), row(1))
    expect(cache, [0, 1])
    cache.close()
    cache.close()


def test_a_torn_end_is_dropped_and_overwritten_whatever_its_length(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    whole = cache.path.read_bytes()
    record = 32 + 4 * D + 4
    for cut in range(1, record):
        cache.path.write_bytes(whole[:-cut])
        expect(cache, [0, 1, 2, 3])
    again = FileFeatureCache(tmp_path, "key", D)
    again.append(name(9), row(9))
    again.close()
    expect(cache, [0, 1, 2, 3, 9])
    assert cache.path.stat().st_size == len(whole)


def test_a_file_cut_within_its_header_is_begun_anew(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.path.write_bytes(cache.path.read_bytes()[:30])
    expect(cache, [])
    cache.append(name(1), row(1))
    cache.close()
    expect(cache, [1])


@pytest.mark.parametrize("damaged", [0, 2, 4])
def test_a_damaged_record_is_never_used_and_the_others_are(tmp_path: Path, damaged: int) -> None:
    cache = filled(tmp_path)
    data = bytearray(cache.path.read_bytes())
    record = 32 + 4 * D + 4
    for offset in (0, 40, record - 1):
        broken = bytearray(data)
        broken[len(data) - (5 - damaged) * record + offset] ^= 1
        cache.path.write_bytes(broken)
        expect(cache, [n for n in range(5) if n != damaged])


def test_damage_at_the_end_is_truncated_before_more_is_appended(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    size = cache.path.stat().st_size
    with cache.path.open("ab") as file:
        file.write(bytes(1000))  # what a power cut leaves
    cache.append(name(5), row(5))
    cache.close()
    expect(cache, [0, 1, 2, 3, 4, 5])
    assert cache.path.stat().st_size == size + 32 + 4 * D + 4


def test_features_of_another_backbone_or_dimension_are_never_used(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    expect(FileFeatureCache(tmp_path, "other key", D), [])
    other = FileFeatureCache(tmp_path, "other key", D)
    other.append(name(7), row(7))
    other.close()
    expect(other, [7])
    expect(cache, [0, 1, 2, 3, 4])
    cache.path.write_bytes(other.path.read_bytes())  # someone mixed up the files
    expect(cache, [])
    names, features = FileFeatureCache(tmp_path, "other key", D + 1).load()
    assert (names, features.shape) == ([], (0, D + 1))


def test_a_file_of_another_version_is_not_used(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    data = bytearray(cache.path.read_bytes())
    data[8] = 2
    cache.path.write_bytes(data)
    expect(cache, [])


def test_wrong_shapes_types_and_hashes_are_refused(tmp_path: Path) -> None:
    cache = FileFeatureCache(tmp_path, "key", D)
    with pytest.raises(InvalidValueError, match=r"\(16,\).*received \(17,\)"):
        cache.append(name(0), row(0, D + 1))
    with pytest.raises(InvalidValueError, match="float64"):
        cache.append(name(0), row(0).astype(np.float64))
    with pytest.raises(InvalidValueError, match="SHA-256"):
        cache.append("../../x", row(0))
    expect(cache, [])


def test_a_folder_that_cannot_be_made_is_a_project_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FileFeatureCache(tmp_path / "file", "key", D)
    with pytest.raises(ProjectError, match="Cannot write"):
        cache.append(name(0), row(0))


def test_some_pictures_are_selected_in_their_order_and_unknown_ones_told(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    wanted = [3, 99, 0, 3]
    features, known = cache.select([name(n) for n in wanted])
    assert known.tolist() == [True, False, True, True]
    for number, got in zip([3, 0, 3], features[known], strict=True):
        assert np.array_equal(got, row(number))


def test_nothing_is_selected_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    features, known = FileFeatureCache(tmp_path, "key", D).select([name(1)])
    assert features.shape == (1, D)
    assert not known.any()


def test_compacting_keeps_only_what_is_asked_for_once_and_goes_on(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.append(name(3), row(3))
    cache.compact([name(1), name(3), name(77)])
    expect(cache, [1, 3])
    cache.append(name(5), row(5))
    expect(cache, [1, 3, 5])
    cache.close()


def test_20000_rows_of_1280_come_back_as_they_were(tmp_path: Path) -> None:
    cache = FileFeatureCache(tmp_path, "key", 1280)
    features = np.random.default_rng(0).normal(size=(20_000, 1280)).astype(np.float32)
    for number, one in enumerate(features):
        cache.append(f"{number:064x}", one)
    cache.close()
    names, loaded = cache.load()
    assert names[-1] == f"{19_999:064x}"
    assert np.array_equal(loaded, features)


APPEND_FOR_EVER = f"""
import hashlib, itertools, sys
from pathlib import Path
import numpy as np
from edge_classifier.features.cache import FileFeatureCache
cache = FileFeatureCache(Path(sys.argv[1]), "key", {D})
for number in itertools.count(int(sys.argv[2])):
    row = np.random.default_rng(number).normal(size={D}).astype(np.float32)
    cache.append(hashlib.sha256(str(number).encode()).hexdigest(), row)
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    cache = FileFeatureCache(tmp_path, "key", D)
    count = 0
    for killed_after in (1, 7, 40):
        with subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", APPEND_FOR_EVER, str(tmp_path), str(count)],
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(killed_after)]
            cache.load()  # while it writes
            writer.kill()
            lines += [line for line in writer.stdout.read().splitlines() if line]
        acknowledged = count + len([line for line in lines if line.strip()])
        names, _ = cache.load()
        assert acknowledged - 1 <= len(names) <= acknowledged + 1
        assert len(names) >= count + killed_after
        expect(cache, list(range(len(names))))
        count = len(names)
