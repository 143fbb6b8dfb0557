from __future__ import annotations

import pytest

from edge_classifier.errors import InvalidClassNameError
from edge_classifier.live.dialogs import ConfirmDialog, TextDialog
from edge_classifier.live.display import Press


def typed(dialog: TextDialog, keys: list[str]) -> TextDialog | None:
    current: TextDialog | None = dialog
    for key in keys:
        assert current is not None
        current = current.handle(key_press(key))
    return current


def key_press(key: str) -> Press:
    return Press(key.lower(), key if len(key) == 1 else "")


def test_typed_text_is_given_on_enter() -> None:
    got: list[str] = []
    assert typed(TextDialog("Name", "", got.append), [*"tasse à", "enter"]) is None
    assert got == ["tasse à"]


def test_backspace_takes_back_one_letter() -> None:
    dialog = typed(TextDialog("Name", "", print), [*"muk", "backspace", "g"])
    assert dialog is not None
    assert dialog.prompt().text == "mug"


def test_escape_changes_nothing() -> None:
    got: list[str] = []
    assert typed(TextDialog("Name", "", got.append), [*"mug", "escape"]) is None
    assert got == []


def test_what_cannot_be_taken_is_said_and_can_be_corrected() -> None:
    def refuse(_text: str) -> None:
        raise InvalidClassNameError("there is a mug already")

    dialog = typed(TextDialog("Name", "", refuse), [*"mug", "enter"])
    assert dialog is not None
    assert dialog.prompt().error == "there is a mug already"
    assert dialog.prompt().text == "mug"
    dialog.handle(key_press("2"))
    assert dialog.prompt().error is None


def test_a_text_to_begin_with_is_replaced_by_what_is_typed() -> None:
    dialog = typed(TextDialog("New name", "", print, text="class 1"), [*"mug"])
    assert dialog is not None
    assert dialog.prompt().text == "mug"


@pytest.mark.parametrize("key", ["left", "right", "home", "end"])
def test_a_text_to_begin_with_can_be_gone_on_with(key: str) -> None:
    dialog = typed(TextDialog("New name", "", print, text="class 1"), [key, *"0", "backspace", "2"])
    assert dialog is not None
    assert dialog.prompt().text == "class 12"


def test_text_that_no_key_has_typed_is_taken_and_controls_are_left_out() -> None:
    dialog = TextDialog("Name", "", print)
    dialog.handle(Press("", "杯"))
    dialog.handle(Press("", "a\n\x1b[31mb\u200dc"))
    assert dialog.prompt().text == "杯a[31mb\u200dc"


def test_backspace_goes_on_while_it_is_held() -> None:
    dialog = typed(TextDialog("Name", "", print), [*"mug"])
    assert dialog is not None
    dialog.handle(Press("backspace", repeated=True))
    assert dialog.prompt().text == "mu"


def test_keys_without_a_letter_type_nothing() -> None:
    dialog = typed(TextDialog("Name", "", print), ["left", "up", "delete"])
    assert dialog is not None
    assert dialog.prompt().text == ""


def test_only_yes_confirms() -> None:
    said: list[str] = []
    dialog = ConfirmDialog("Remove?", lambda: said.append("yes"))
    assert dialog.handle(key_press("x")) is dialog
    assert dialog.handle(key_press("n")) is None
    assert dialog.handle(key_press("escape")) is None
    assert said == []
    assert dialog.handle(key_press("Y")) is None
    assert said == ["yes"]
