"""An adapter that is there from the start, or when somebody asks for it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from .console import say
from .errors import EdgeClassifierError
from .requests import ADAPT

if TYPE_CHECKING:
    from .adapter import Adapter
    from .classifier import Classifier
    from .requests import Requests
    from .verdict import Prediction


class AdapterOnDemand:
    """Adapts as the one it begins with, and once anew for each request.

    Making another one reads a file, so it is done in a thread.

    Args:
        adapter: That of `--adapt`, or `None`.
        follows: Whether that one follows what it sees; there is nothing to ask for then.
    """

    def __init__(
        self, classifier: Classifier, adapter: Adapter | None, requests: Requests, *, follows: bool
    ) -> None:
        self._classifier, self._requests, self._follows = classifier, requests, follows
        self._adapter = adapter
        self._executor: ThreadPoolExecutor | None = None
        self._coming: Future[Adapter] | None = None

    @property
    def adapts(self) -> bool:
        """Whether answers are looked at, or may be from the next one on."""
        return self._adapter is not None or self._coming is not None

    def update(self, prediction: Prediction) -> Prediction:
        """Take the answer to what the classifier was asked last; return the adapted one."""
        if (ADAPT, 0) in self._requests.take() and self._coming is None:
            self._begin()
        if self._coming is not None and self._coming.done():
            self._take()
        return prediction if self._adapter is None else self._adapter.update(prediction)

    def close(self) -> None:
        """Keep what there is; may be called twice."""
        if self._executor is not None:
            self._executor.shutdown()
        if self._coming is not None:
            self._take()
        if self._adapter is not None:
            self._adapter.close()

    def _begin(self) -> None:
        if self._follows:
            say("it adapts by itself already (--adapt follow).")
            return
        before, self._adapter = self._adapter, None
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "adapter")
        self._coming = self._executor.submit(self._make, before)

    def _make(self, before: Adapter | None) -> Adapter:
        from .adapter import Adapter  # noqa: PLC0415 - start-up counts on a small device

        if before is not None:
            before.close()
        return Adapter(self._classifier, "once", background=True, anew=True)

    def _take(self) -> None:
        coming, self._coming = self._coming, None
        try:
            self._adapter = None if coming is None else coming.result()
        except EdgeClassifierError as error:
            say(str(error))
        else:
            say("adapting, as was asked for: show each class from several sides.")
