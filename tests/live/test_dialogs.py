from __future__ import annotations

from edge_classifier.errors import InvalidClassNameError
from edge_classifier.live.dialogs import ConfirmDialog, TextDialog


def typed(dialog: TextDialog, keys: list[str]) -> TextDialog | None:
    current: TextDialog | None = dialog
    for key in keys:
        assert current is not None
        current = current.handle(key)
    return current


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
    dialog.handle("2")
    assert dialog.prompt().error is None


def test_tab_switches_to_the_alternative() -> None:
    other = TextDialog("New name", "", print)
    dialog = TextDialog("Name", "", print, alternative=lambda: other)
    assert dialog.handle("tab") is other


def test_keys_without_a_letter_type_nothing() -> None:
    dialog = typed(TextDialog("Name", "", print), ["left", "up", "delete"])
    assert dialog is not None
    assert dialog.prompt().text == ""


def test_only_yes_confirms() -> None:
    said: list[str] = []
    dialog = ConfirmDialog("Remove?", lambda: said.append("yes"))
    assert dialog.handle("x") is dialog
    assert dialog.handle("n") is None
    assert dialog.handle("escape") is None
    assert said == []
    assert dialog.handle("Y") is None
    assert said == ["yes"]
