"""What `tools/fuzzing` and its author found in project files, caches, tables, labels, downloads."""

from __future__ import annotations

import http.server
import io
import json
import re
import struct
import threading
import time
import urllib.request
import zlib
from email.message import Message
from http.client import HTTPMessage
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.picture_files import picture_bytes, write_pictures

from edge_classifier.device.console import one_line
from edge_classifier.errors import (
    DownloadError,
    InvalidValueError,
    NotImportableError,
    ProjectFormatError,
)
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.download import download
from edge_classifier.features.https import EncryptedOnly
from edge_classifier.features.imagenet import read_labels
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.importers.tree import FolderTree
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from pathlib import Path


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"settings": {"head": [1]}}, "settings of the head"),
        ({"settings": {"a": nested(300)}}, "nested too deeply"),
        ({"of another program": nested(300)}, "nested too deeply"),
        ({"classes": [{"name": f"{n}", "colour": "#123456"} for n in range(3000)]}, "3,000"),
        ({"classes": [{"name": "a", "colour": "#123456", "renamed_from": " a"}]}, "stored form"),
        ({"last_burst": 10**400}, "last_burst"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_project_file_that_could_be_read_but_not_worked_with_is_damaged(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    ProjectStore.create(tmp_path / "p").close()
    path = tmp_path / "p" / "project.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    with pytest.raises(ProjectFormatError, match=said):
        ProjectStore.open(tmp_path / "p")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 10**9}, "Expected units from 1 to 4,096, received 1000000000"),
        ({"epochs": 10**9}, "Expected epochs from 1 to 100,000, received 1000000000"),
        ({"units": 1.5}, "Expected units as a whole number from 1 to 4,096, received 1.5"),
        ({"penalty": 0.0}, "Expected penalty from 1e-12 to 1e+06, received 0"),
    ],
)
def test_settings_that_would_only_keep_a_machine_busy_are_refused(
    changes: dict[str, float], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        HeadSettings(**changes)  # type: ignore[arg-type]  # what is wrong with them


def test_an_index_cannot_give_a_picture_a_hash_that_is_none(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p", ["mug"]) as store:
        encoded = encode_file(picture_bytes(1), "a picture")
        store.add_sample(encoded, "mug", store.next_burst_id())
    path = tmp_path / "p" / "cache" / "hashes.txt"
    path.write_text(path.read_text("utf-8").replace(encoded.sha256, "no hash" + " " * 57), "utf-8")
    with ProjectStore.open(tmp_path / "p") as store:
        assert [sample.image_sha256 for sample in store.samples()] == [encoded.sha256]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_cached_features_that_are_no_numbers_are_unknown_be_their_checksum_right(
    value: float, tmp_path: Path
) -> None:
    cache = FileFeatureCache(tmp_path, "key", 2)
    for number in range(2):
        cache.append(f"{number:064x}", np.ones(2, np.float32))
    cache.close()
    data = bytearray(cache.path.read_bytes())
    first = len(data) - 2 * 44
    struct.pack_into("<f", data, first + 32, value)
    struct.pack_into("<I", data, first + 40, zlib.crc32(data[first : first + 40]))
    cache.path.write_bytes(data)
    cache = FileFeatureCache(tmp_path, "key", 2)
    assert cache.load()[0] == [f"{1:064x}"]
    assert cache.select([f"{n:064x}" for n in range(2)])[1].tolist() == [False, True]


def test_a_table_that_is_one_endless_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("," * 3_000_000, encoding="utf-8")
    with pytest.raises(NotImportableError, match=r"set\.csv"):
        open_importer(path)
    path.write_text("file,label\n1.jpg,mug\n" + "x" * 300_000 + ",y\n", encoding="utf-8")
    items = list(open_importer(path))
    assert isinstance(items[-1], Refusal)
    assert "300,003 characters" in items[-1].reason


def test_a_table_larger_than_any_is_refused_before_it_is_understood(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes(bytes(64 * 1024 * 1024 + 1))
    with pytest.raises(NotImportableError, match="split it into several tables"):
        open_importer(tmp_path / "set.csv")


@pytest.mark.parametrize("name", ["//host/share/1.jpg", "\\\\host\\share\\1.jpg"])
def test_a_table_cannot_make_this_machine_ask_another_one(name: str, tmp_path: Path) -> None:
    assert FolderTree(tmp_path).find("", name) is None


@pytest.mark.parametrize(
    "text",
    [
        "{" + "0: (" * 90 + "'x'" + ")" * 90 + "}",
        "{0: " + "-" * 100_000 + "1}",
        "{0: " + "1+" * 50_000 + "1}",
        "[" * 200_000,
        "{'a' " * 90_000,
        "[__import__('os')]",
    ],
    ids=lambda text: text[:20],
)
def test_labels_as_python_writes_them_are_names_and_numbers_only(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidValueError, match=r"1000 classes in .*labels\.json"):
        read_labels(tmp_path / "labels.json")


def test_labels_as_python_writes_them_may_hold_any_quote(tmp_path: Path) -> None:
    names = {n: f'it\'s "{n}" [{n}] {{{n}}} \\ é' for n in range(1000)}
    (tmp_path / "labels.json").write_text(repr(names), encoding="utf-8")
    assert read_labels(tmp_path / "labels.json") == tuple(names.values())


def test_no_redirection_of_several_leads_away_from_https() -> None:
    asked = urllib.request.Request("https://example.org/weights.h5")
    handler = EncryptedOnly()
    body = urllib.request.urlopen("data:,").fp  # noqa: S310 - nothing, from nowhere
    with pytest.raises(DownloadError, match="unencrypted"):
        handler.redirect_request(asked, body, 302, "", HTTPMessage(), "http://example.org/x")
    onward = handler.redirect_request(asked, body, 302, "", HTTPMessage(), "https://example.org/x")
    assert onward is not None
    assert onward.full_url == "https://example.org/x"
    assert isinstance(onward.headers, (dict, Message))


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-1", "x", "0x10", ""])
def test_a_server_that_tells_no_length_is_read_up_to_the_limit(length: str) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(
                f"HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
            )
            self.wfile.write(bytes(100_000))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with pytest.raises(DownloadError, match="larger than 50,000 bytes"):
                download(
                    url,
                    io.BytesIO(),
                    progress=lambda _size, _total: None,
                    cancelled=lambda: False,
                    max_bytes=50_000,
                )
        finally:
            server.shutdown()
            thread.join(10)


def test_what_a_command_says_is_one_line_that_steers_nothing() -> None:
    said = one_line("a\x1b[2J\nb\u2028c\u202egpj.exe växt 🌱 👩\u200d🔬 \udcff\udc9b\u200f")
    assert said == "a\\x1b[2J\\nb\\u2028c\\u202egpj.exe växt 🌱 👩\u200d🔬 \udcff\\udc9b\\u200f"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "file,label\n" + "gone.jpg,cat\n" * 190_000),
        ("digits.csv", "file,label\n" + ("a.jpg," + "1" * 130_000 + "x\n") * 2),
        ("wide.csv", "file,label\n" + ("a.jpg," * 40_000 + "\n") * 90),
        ("data.yaml", "names: [\n" * 100_000),
        ("data.yaml", "names:\n" + "# \n" * 5000),
        ("classes.txt", "1 " + " a" * 400_000),
    ],
    ids=["rows", "digits", "columns", "brackets", "comments", "spaces"],
)
def test_no_list_takes_longer_than_honest_ones(tmp_path: Path, name: str, text: str) -> None:
    write_pictures(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "set.csv").write_text("file,label\na.jpg,0\nb.jpg,1\n")
    (tmp_path / name).write_text(text)
    before_s = time.process_time()
    assert sum(isinstance(item, LabelledPicture) for item in open_importer(tmp_path)) == 2
    assert time.process_time() - before_s < 5
