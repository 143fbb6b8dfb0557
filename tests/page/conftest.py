from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.visiting import page_on_free_port

from edge_classifier.page.display import Page


@pytest.fixture
def page() -> Iterator[Page]:
    served = page_on_free_port()
    yield served
    served.close()
