"""What Home Assistant is told of a classifier."""

from __future__ import annotations

import json

import pytest
from support.answers import LABELS

from edge_classifier.device.outputs.home_assistant import Topics, as_option, discovery

TOPICS = Topics("kitchen", "edge_classifier_1")


def test_the_label_is_one_of_all_classes_and_unknown() -> None:
    label = discovery(TOPICS, "things", LABELS)["components"]["label"]
    assert label["device_class"] == "enum"
    assert label["options"] == ["mug", "phone", "växt 🌱", "unknown"]


def test_each_entity_has_an_identity_and_a_name_of_its_own() -> None:
    entities = discovery(TOPICS, "things", LABELS)["components"].values()
    assert {entity["platform"] for entity in entities} == {
        "sensor",
        "binary_sensor",
        "button",
        "switch",
    }
    assert len({entity["unique_id"] for entity in entities}) == len(entities) == 6


@pytest.mark.parametrize(
    ("label", "option"),
    [
        ("växt 🌱", "växt 🌱"),
        (" mug ", "mug"),
        ("None", "(None)"),
        (" ", "()"),
        ("a\nb", "a\\nb"),
        ("{{ states('x') }}", "{{ states('x') }}"),  # a value, not a template
        ("a/b+#", "a/b+#"),
    ],
)
def test_a_label_is_spelt_as_a_state_can_be(label: str, option: str) -> None:
    assert as_option(label) == option


@pytest.mark.parametrize("label", ["x" * 1000, "\udcff" * 300, "🌱" * 300])
def test_a_label_of_any_length_fits_and_is_text(label: str) -> None:
    option = as_option(label)
    assert len(option) <= 255
    assert json.dumps(option, ensure_ascii=False).encode()
