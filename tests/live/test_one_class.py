"""A single class in the window: that, or unknown; nothing as long as nothing can be told."""

from __future__ import annotations

from support.live_session import LiveSession


def test_a_single_picture_gives_no_verdict(live: LiveSession) -> None:
    live.thing = 1
    live.tap("1")
    assert live.view.banner is None
    assert live.view.cards[0].score is None
    assert live.view.hint == "record 4 more pictures of mug: hold 1"


def test_one_class_alone_is_told_from_anything_else(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.wait(1.0)
    banner = live.view.banner
    assert banner is not None
    assert (banner.label, banner.unknown) == ("mug", False)
    # Its score is always 1: what is shown is how familiar it is.
    assert banner.confidence == live.view.cards[0].score == banner.similarity
    assert live.view.hint.startswith("all but mug is unknown, not reliably yet")
    live.thing = 50
    live.wait(1.0)
    assert live.label == "unknown"
    assert live.view.cards[0].score is not None
    assert live.view.cards[0].score < 0.9


def test_a_second_class_is_told_from_it_as_soon_as_it_is_recorded(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    for thing, label in ((2, "phone"), (1, "mug"), (50, "unknown")):
        live.thing = thing
        live.wait(1.0)
        assert live.label == label


def test_what_is_left_when_the_other_class_is_removed_is_told_from_anything_else(
    live: LiveSession,
) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("x", "y")  # the one that was recorded last
    for thing, label in ((1, "mug"), (2, "unknown")):
        live.thing = thing
        live.wait(1.0)
        assert live.label == label
