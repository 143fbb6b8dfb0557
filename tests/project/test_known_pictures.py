from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.picture_files import picture_bytes

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import CancelledError
from edge_classifier.project.importers.known_pictures import KnownPictures, pixel_hash
from edge_classifier.project.picture_file import encode_file, read_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


def silent(_done: float, _what: str | None = None, /) -> None:
    pass


def find(index: KnownPictures, image: Image) -> str | None:
    height, width = image.shape[:2]
    return index.find_pixels((width, height), pixel_hash(image), silent, lambda: False)


def filled(path: Path, sizes: list[tuple[int, int]]) -> ProjectStore:
    store = ProjectStore.create(path, ["mug"])
    for number, size in enumerate(sizes):
        encoded = encode_file(picture_bytes(number, size=size), "x")
        store.add_sample(encoded, "mug", store.next_burst_id())
    return store


def test_the_hash_is_of_size_and_pixels() -> None:
    flat = np.zeros((2, 8, 3), np.uint8)
    assert pixel_hash(flat) == pixel_hash(flat.copy())
    assert pixel_hash(flat) != pixel_hash(flat.reshape(4, 4, 3))
    assert pixel_hash(flat[:, ::2]) == pixel_hash(np.zeros((2, 4, 3), np.uint8))


def test_only_samples_of_the_same_size_are_read_and_each_once(tmp_path: Path) -> None:
    read: list[Path] = []

    def watched(path: Path) -> Image:
        read.append(path)
        return read_image(path)

    with filled(tmp_path / "p", [(24, 16), (24, 16), (30, 10)]) as store:
        wanted = read_image(store.samples()[1].path)
        index = KnownPictures(store.cache_folder, store.samples(), watched)
        assert find(index, wanted) == "mug"
        assert find(index, wanted[::-1]) is None
        assert sorted(read) == [s.path for s in store.samples()[:2]]
        index.save()
        read.clear()
        again = KnownPictures(store.cache_folder, store.samples(), watched)
        assert find(again, wanted) == "mug"
        assert read == []


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1}', '{"version": 9, "pixels": {}}'])
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path: Path, content: str) -> None:
    with filled(tmp_path / "p", [(24, 16)]) as store:
        store.cache_folder.mkdir(exist_ok=True)
        (store.cache_folder / "pixels.json").write_text(content)
        index = KnownPictures(store.cache_folder, store.samples())
        assert find(index, read_image(store.samples()[0].path)) == "mug"


def test_a_damaged_sample_is_no_duplicate_of_anything(tmp_path: Path) -> None:
    with filled(tmp_path / "p", [(24, 16), (24, 16)]) as store:
        broken, whole = store.samples()
        broken.path.write_bytes(broken.path.read_bytes()[:300])
        index = KnownPictures(None, store.samples())
        assert find(index, read_image(whole.path)) == "mug"


def test_looking_for_duplicates_can_be_cancelled(tmp_path: Path) -> None:
    with filled(tmp_path / "p", [(24, 16)] * 5) as store:
        index = KnownPictures(None, store.samples())
        with pytest.raises(CancelledError):
            index.find_pixels((24, 16), "x", silent, lambda: True)


def test_a_sample_is_found_by_its_file_without_being_read() -> None:
    sample = Sample("mug", "b0000001", Path("/gone.jpg"), "ab" * 32)
    assert KnownPictures(None, [sample]).find_bytes("ab" * 32) == "mug"
