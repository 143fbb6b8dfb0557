"""A pin for each label."""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING, Any

from ..console import say, shortened
from ..errors import InvalidOptionError, InvalidValueError
from .courier import needed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import gpiozero


class Gpio:
    """Switches the pins of the label that counts on, and all others off; all where none counts.

    Args:
        pins: Each `[REGION:]LABEL=PIN`, as gpiozero names pins: `17` or `GPIO17`, `BOARD11`. A
            label may have several. Without a region it is on where any of them has the label.
        labels: All that can come.
        regions: Their names, if they have any.

    Raises:
        InvalidOptionError: as `pins_of` does.
        InvalidValueError: if gpiozero is not installed, or a pin cannot be used now.
    """

    name = "--gpio"
    retries = False

    def __init__(
        self, pins: Sequence[str], labels: Collection[str], regions: Collection[str] = ()
    ) -> None:
        named = pins_of(pins, labels, regions)
        self._lock = threading.Lock()
        self._held: dict[str, str | None] = {}
        self._again = False
        self._pins: list[tuple[str, gpiozero.DigitalOutputDevice]] = []
        with needed(self.name, "gpiozero"):
            import gpiozero  # noqa: PLC0415 - an optional library
        try:
            for label, pin in named:
                # It warns of each library for pins that is not there, also where the next one is.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._pins.append((label, gpiozero.DigitalOutputDevice(pin)))
        except Exception as error:
            self.stop()
            if isinstance(error, gpiozero.BadPinFactory):
                raise InvalidValueError(
                    "--gpio: there are no pins here that gpiozero can use; on a Pi, `sudo apt "
                    "install python3-lgpio`, and a virtual environment with "
                    "--system-site-packages, bring what it needs."
                ) from error
            raise InvalidValueError(
                f"--gpio {label}={pin}: this pin cannot be used ({error}); choose another one, or "
                "end what uses it."
            ) from error

    def tell(self, news: dict[str, Any]) -> str:
        """Switch; returns what went wrong."""
        trouble = ""
        with self._lock:
            region = news.get("region", "")
            held = {**(self._held if region else {}), region: news["held"]}
            if held != self._held or self._again:
                self._held = held
                # First off, then on: never two at once.
                for label, pin in sorted(self._pins, key=lambda p: self._is_on(p[0])):
                    trouble = _switch(label, pin, on=self._is_on(label)) or trouble
                self._again = bool(trouble)
        return trouble

    def _is_on(self, label: str) -> bool:
        return any(
            held is not None and label in (held, f"{region}:{held}")
            for region, held in self._held.items()
        )

    def stop(self) -> None:
        """Switch all off and let go of them."""
        with self._lock:
            pins, self._pins = self._pins, []
        for label, pin in pins:
            if trouble := _switch(label, pin, on=False):
                say(f"{self.name}: {trouble}")
            with contextlib.suppress(Exception):  # as above; the next one is still to be closed
                pin.close()


def _switch(label: str, pin: gpiozero.DigitalOutputDevice, *, on: bool) -> str:
    """Switch a pin; returns what went wrong, so that no other one stays as it was for that."""
    try:
        pin.value = on
    except Exception as error:  # noqa: BLE001 - each library for pins has errors of its own
        state = "on" if on else "off"
        return f"the pin of {shortened(label)} cannot be switched {state} ({error})."
    return ""


def pins_of(
    pins: Sequence[str], labels: Collection[str], regions: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Read which label each pin is for, perhaps of a region.

    Raises:
        InvalidOptionError: if one is of no such label, or a pin is given twice.
    """
    named = [_label_and_pin(text, labels, regions) for text in pins]
    numbers = [pin for _, pin in named]
    twice = next((pin for pin in numbers if numbers.count(pin) > 1), None)
    if twice is not None:
        raise InvalidOptionError(f"--gpio: pin {twice} is given twice; each label has its own.")
    return named


def _label_and_pin(text: str, labels: Collection[str], regions: Collection[str]) -> tuple[str, str]:
    label, _, pin = text.rpartition("=")
    if not label or not pin.isascii() or not pin.replace(":", "").isalnum():
        raise InvalidOptionError(
            f"--gpio {shortened(text)}: expected LABEL=PIN, like mug=17 or unknown=GPIO27."
        )
    region, colon, of_region = label.partition(":")
    if not (label in labels or (colon and region in regions and of_region in labels)):
        known = ", ".join(labels)
        raise InvalidOptionError(
            f"--gpio {shortened(text)}: this model has no label {shortened(label)!r}; it has "
            f"{shortened(known)}."
        )
    return label, pin
