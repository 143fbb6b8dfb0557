"""Lists of files and labels: tables, and JSON of labelling tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fuzzing.imports import ImportTarget
from fuzzing.mutate import HOSTILE_TEXTS, encode_json, mutate_bytes, mutate_json
from fuzzing.seeds import CLASSES, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_HEADERS: Final = (
    *("file,label,split", "Image,Id,x", "id,label,is_valid", "datei,klasse,teil"),
    *("filename,mug,cat", "#filename,label,region", "sep=;\nfile,label,split", "", "a,b,c"),
)
_CELLS: Final = (
    *("train/1.jpg", '"', '"open', "=1+1", "x," * 3000, "../../outside/precious.txt", "1", "0.0"),
    *("/data/upload/1/51cf00ab-1.jpg", "gs://b/1.jpg?x=[", "http://[::1/1.jpg", "C:\\a\\1.jpg"),
    *(
        '{"choices":["a","b"]}',
        '{"a": ' * 500,
        "['mug']",
        "[" * 900,
        "%00",
        "%2e%2e/1.jpg",
        "1e400",
    ),
)
_NAMES: Final = (
    *("0 mug\n1 cat\n", "mug\ncat", "names: [mug, cat]", "names:\n  0: mug\n  1: cat\n", "\x00"),
    *('{"0": "mug"}', "[" * 5000, "0,mug\n1,cat\n", "9" * 5000 + " mug", "names: {", "# \n" * 5000),
)


class ListTarget(ImportTarget):
    """A list that is added by itself, or as one of a folder with pictures and class names."""

    name = ""
    suffixes: tuple[str, ...] = ()

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._folder = arena / "set"
        for split in ("train", "val"):
            (self._folder / split).mkdir(parents=True, exist_ok=True)
            for number in range(4):
                picture = encoded(number + 10 * (split == "val"))
                (self._folder / split / f"{number}.jpg").write_bytes(picture)

    def paths(self) -> Sequence[Path]:
        """None: honest lists are written here."""
        return []

    def import_list(self, data: bytes) -> None:
        """Add the list in one of the ways that its bytes tell."""
        choice = sum(data[:100])
        suffix = self.suffixes[choice % len(self.suffixes)]
        if choice % 3:
            self.import_it(self.write(f"labels{suffix}", data))
            return
        for old in self._folder.glob("*.*"):
            old.unlink()
        (self._folder / f"labels{suffix}").write_bytes(data)
        name = ("classes.txt", "data.yaml", "classes.json", "classes.csv")[choice % 4]
        (self._folder / name).write_text(_NAMES[choice % len(_NAMES)], encoding="utf-8")
        self.import_it(self._folder, data)


class CsvTarget(ListTarget):
    """A table of files and labels."""

    name = "csv"
    suffixes = (".csv", ".tsv", ".txt")

    def make(self, rng: Random) -> bytes:
        """Spoil cells, separators and encodings mostly, bytes sometimes."""
        label = rng.choice((CLASSES, ("0", "1"), ("1,0", "0,1")))
        rows = [
            [rng.choice(("train/{}.jpg", "{}", "/x/val/{}.png")).format(n), label[n % 2],
             rng.choice(("train", "val", "True", "0"))]
            for n in range(6)
        ]  # fmt: skip
        rows.insert(0, rng.choice(_HEADERS).split(","))
        for _ in range(rng.choice((0, 1, 2, 4))):
            row = rng.choice(rows)
            row[rng.randrange(len(row))] = rng.choice((*HOSTILE_TEXTS, *_CELLS))
        if rng.random() < 0.1:  # noqa: PLR2004 - rarely
            rows *= rng.choice((50, 500))
        end = rng.choice(("\n", "\r\n", "\r", "\n\n"))
        text = end.join(rng.choice(",,,,;\t| ").join(row) for row in rows)
        encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"))
        data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
        return mutate_bytes(rng, data, [data]) if rng.random() < 0.3 else data  # noqa: PLR2004 - some

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_list(data)


class JsonListTarget(ListTarget):
    """A list in JSON, of one of the tools whose lists are known."""

    name = "json-list"
    suffixes = (".json", ".jsonl", ".labels")

    def make(self, rng: Random) -> bytes:
        """Spoil values mostly, bytes sometimes."""
        document = rng.choice(_documents())
        if isinstance(document, list) and rng.random() < 0.2:  # noqa: PLR2004 - some
            data = b"\n".join(encode_json(rng, mutate_json(rng, entry)) for entry in document)
        else:
            data = encode_json(rng, mutate_json(rng, document))
        return mutate_bytes(rng, data, [data]) if rng.random() < 0.2 else data  # noqa: PLR2004 - some

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_list(data)


def _documents() -> list[Any]:
    """Give an honest list of each kind."""
    pairs = [(f"train/{n}.jpg", CLASSES[n % 2]) for n in range(4)]
    label = {"name": "mug"}, {"name": CLASSES[1]}
    return [
        {"version": 1, "files": [{"path": f, "name": "x", "category": "training",
                                  "label": {"type": "label", "label": k}} for f, k in pairs]},
        {"version": 1, "boundingBoxes": {f: [{"label": k, "x": 1}] for f, k in pairs}},
        [{"data": {"image": f"/data/upload/1/51cf00ab-{f[6:]}"}, "file_upload": f,
          "annotations": [{"was_cancelled": False, "result": [
              {"from_name": "kind", "type": "choices", "value": {"choices": [k]}}]}]}
         for f, k in pairs],
        {"images": [{"id": n, "file_name": f} for n, (f, _) in enumerate(pairs)],
         "annotations": [{"image_id": n, "category_id": n % 2, "bbox": [0, 0, 1, 1]}
                         for n in range(4)],
         "categories": [{"id": 0, "name": "mug"}, {"id": 1, "name": CLASSES[1]}]},
        {"info": {}, "categories": {"label": {"labels": label}},
         "items": [{"id": f, "image": {"path": f},
                    "annotations": [{"type": "label", "label_id": n % 2}]}
                   for n, (f, _) in enumerate(pairs)]},
        {"_via_img_metadata": {f + "9": {"filename": f, "size": 9, "regions": [],
                                         "file_attributes": {"kind": k}} for f, k in pairs}},
        [{"image": f, "choice": k, "id": n} for n, (f, k) in enumerate(pairs)],
        {"train": [[f, 0, k] for f, k in pairs], "val": [["val/1.jpg", 0, "mug"]]},
        dict(pairs),
        {"classes": list(CLASSES), "labels": {str(n): n % 2 for n in range(4)}},
    ]  # fmt: skip
