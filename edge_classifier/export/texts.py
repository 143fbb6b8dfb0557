"""Texts for people that come with this package, and what is put into them."""

from __future__ import annotations

import re


def fill_in(template: str, **values: str) -> str:
    """Put values where their names stand in braces.

    Braces in a value, and those with a name that has no value, stay as they are.
    """
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)
