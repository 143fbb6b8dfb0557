"""Opens addresses; imported with the first transfer, as Python's HTTP takes long to import."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING, Any

from edge_classifier.errors import DownloadError

if TYPE_CHECKING:
    from http.client import HTTPMessage


class EncryptedOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirection, not even one of several, from https to anything else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow, or raise a `DownloadError`."""
        if req.type == "https" and not newurl.lower().startswith("https:"):
            fp.close()
            raise DownloadError("it leads to an unencrypted address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def request(url: str, method: str) -> urllib.request.Request:
    """Make a request for one of the registry's own addresses."""
    headers = {"User-Agent": "edge-classifier"}
    return urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - as above


def open_url(request: urllib.request.Request, timeout: float) -> Any:  # noqa: ANN401 - as urlopen has it
    """Open a request; every answer may take `timeout` seconds."""
    return urllib.request.build_opener(EncryptedOnly).open(request, timeout=timeout)


def reason(error: Exception) -> str:
    """Say in few words what went wrong, and close what an error of the server holds open."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "it stopped before the end"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    return str(cause).rstrip(".") or type(cause).__name__
