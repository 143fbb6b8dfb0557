"""Pictures on their way to another class, which something stops."""

from __future__ import annotations

from pathlib import Path

from support.live_session import LiveSession, scene

from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


def test_a_move_that_failed_in_its_midst_is_taken_back_as_far_as_it_went(tmp_path: Path) -> None:
    store = ProjectStore.create(tmp_path / "project", ["mug", "phone"])
    for thing, class_name in enumerate(store.class_names(), start=1):
        burst_id = store.next_burst_id()
        for index in range(4):
            store.add_sample(encode_image(scene(thing, index)), class_name, burst_id)
    before = store.samples()
    live = LiveSession(store)
    in_the_way = before[2].path
    in_the_way.unlink()
    in_the_way.mkdir()  # which is no picture
    live.type("look:mug", " ", "2")
    assert len([s for s in store.samples() if s.class_name == "phone"]) == 6
    live.type("escape", "u")
    assert store.samples() == before
