"""A view as it is said in a language, for any display."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_classifier.languages.language import ENGLISH

if TYPE_CHECKING:
    from edge_classifier.languages.language import Language
    from edge_classifier.live.view import Gallery, Menu, Prompt, View


def in_language(view: View, language: Language) -> View:
    """Translate all of a view that is a `Text`; names stay as they are."""
    if language.code == ENGLISH:
        return view
    say = language.of
    return replace(
        view,
        banner=view.banner and replace(view.banner, label=say(view.banner.label)),
        activity=replace(view.activity, text=say(view.activity.text)),
        hint=say(view.hint),
        quality=say(view.quality),
        message=view.message and replace(view.message, text=say(view.message.text)),
        prompt=view.prompt and _prompt(view.prompt, language),
        gallery=view.gallery and _gallery(view.gallery, language),
        help_lines=tuple((say(keys), say(does), press) for keys, does, press in view.help_lines),
        buttons=tuple(replace(button, text=say(button.text)) for button in view.buttons),
        tag=say(view.tag),
        menu=view.menu and _menu(view.menu, language),
    )


def _prompt(prompt: Prompt, language: Language) -> Prompt:
    return replace(
        prompt,
        title=language.of(prompt.title),
        note=language.of(prompt.note),
        error=None if prompt.error is None else language.of(prompt.error),
    )


def _menu(menu: Menu, language: Language) -> Menu:
    say = language.of
    rows = (replace(row, text=say(row.text), detail=say(row.detail)) for row in menu.choices)
    return replace(menu, title=say(menu.title), note=say(menu.note), choices=tuple(rows))


def _gallery(gallery: Gallery, language: Language) -> Gallery:
    say = language.of
    return replace(
        gallery,
        title=say(gallery.title),
        detail=say(gallery.detail),
        note=say(gallery.note),
        rows=tuple(
            replace(
                row,
                heading=say(row.heading),
                pictures=tuple(replace(each, text=say(each.text)) for each in row.pictures),
            )
            for row in gallery.rows
        ),
    )
