from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.processes import ends_soon

from edge_classifier.device.bounded_child import BoundedChild
from edge_classifier.errors import (
    CameraNotFoundError,
    InvalidImageError,
    InvalidValueError,
    NotImportableError,
)
from edge_classifier.project.importers import Importer, LabelledPicture, Stretch, open_importer
from edge_classifier.project.importers.video_frames import VideoFrames

FPS = 10


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 10 frames per second; each frame's grey is 8 times its number."""
    path = tmp_path_factory.mktemp("video") / "mug.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), 8 * number, np.uint8))
    writer.release()
    return path


def frames(importer: Importer) -> list[int]:
    """Number of each frame, read off its grey."""
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    return [round(float(c.encoded().image.mean()) / 8) for c in found]


def test_every_nth_frame_of_a_stretch_is_taken_as_one_burst(video: Path) -> None:
    stretch = Stretch(every=4, from_s=0.5, to_s=2.0)
    importer = open_importer(video, class_name="mug", stretch=stretch)
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    assert frames(importer) == [5, 9, 13, 17]
    assert importer.count == 4
    assert {(c.class_name, c.group) for c in found} == {("mug", str(video))}
    assert found[0].source == f"{video} at 0.50 s"


def test_without_a_stretch_the_whole_video_is_meant(video: Path) -> None:
    assert frames(open_importer(video, class_name="mug")) == [0, 10, 20]


def test_a_stretch_behind_the_end_is_nothing(video: Path) -> None:
    with pytest.raises(NotImportableError, match="no picture"):
        open_importer(video, class_name="mug", stretch=Stretch(from_s=100))


def test_a_video_needs_a_class(video: Path) -> None:
    with pytest.raises(NotImportableError, match="--class NAME"):
        open_importer(video)


def test_what_cannot_be_played_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"hello")
    with pytest.raises(NotImportableError, match=r"x\.mp4"):
        open_importer(tmp_path / "x.mp4", class_name="mug")


@pytest.mark.parametrize(
    ("every", "from_s", "to_s"), [(0, 0.0, None), (1, -1.0, None), (1, 2.0, 1.0), (1, 1.0, 1.0)]
)
def test_a_stretch_that_makes_no_sense_is_refused(
    every: int, from_s: float, to_s: float | None
) -> None:
    with pytest.raises(InvalidValueError):
        Stretch(every, from_s, to_s)


# As phones, cameras and strangers write them


def made(tmp_path: Path, name: str, *options: str) -> Path:
    """Make a film of 12 frames at 10 frames a second, 64 x 32, by FFmpeg."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    path = tmp_path / name
    source = ("-f", "lavfi", "-i", "testsrc=size=64x32:rate=10:duration=1.2")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *source, *options, str(path)]
    subprocess.run(command, check=True)  # noqa: S603 - whose input is its own
    return path


@pytest.mark.parametrize(
    "options",
    [
        ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "h264"),
        ("-c:v", "mjpeg", "-f", "mjpeg"),
        ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mpegts"),
        ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
        ("-c:v", "flv", "-f", "flv"),
        ("-c:v", "mpeg4", "-f", "3gp"),
        ("-c:v", "libvpx", "-f", "webm"),
        ("-c:v", "mpeg2video", "-f", "vob"),
        ("-c:v", "wmv2", "-f", "asf"),
    ],
    ids=lambda options: " ".join(options[-1:]),
)
@pytest.mark.parametrize("name", ["film", "film.jpg"])
def test_a_film_is_played_whatever_it_is_called(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    made(tmp_path, "made", *options).rename(tmp_path / name)
    importer = open_importer(tmp_path / name, class_name="mug", stretch=Stretch(every=1))
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    assert len(found) >= 11
    assert found[0].encoded().image.shape == (32, 64, 3)


def test_a_film_that_lies_on_its_side_is_turned_once(tmp_path: Path) -> None:
    plain = made(tmp_path, "plain.mp4", "-c:v", "mpeg4")
    data = bytearray(plain.read_bytes())
    matrix = data.index(b"tkhd") + 44
    struct.pack_into(">9i", data, matrix, 0, 1 << 16, 0, -1 << 16, 0, 0, 32 << 16, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    (first, *_) = open_importer(turned, class_name="mug")
    assert isinstance(first, LabelledPicture)
    image, upright = first.encoded().image, open_importer(plain, class_name="mug")
    assert image.shape == (64, 32, 3)
    (expected, *_) = upright
    assert isinstance(expected, LabelledPicture)
    quarter = np.rot90(expected.encoded().image, -1).astype(int)
    assert np.abs(image - quarter).mean() < 5


def test_a_stretch_goes_by_the_times_in_the_film_not_by_its_average_rate(tmp_path: Path) -> None:
    odd = "select='lt(n,3)+gt(n,8)'"
    film = made(tmp_path, "odd.mp4", "-vf", odd, "-fps_mode", "vfr", "-c:v", "mpeg4")
    stretch = Stretch(every=1, from_s=0.85)
    sources = [item.source for item in open_importer(film, class_name="mug", stretch=stretch)]
    assert [source.rpartition(" at ")[2] for source in sources] == ["0.90 s", "1.00 s", "1.10 s"]


def test_a_film_whose_name_is_no_text_is_played(video: Path, tmp_path: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.avi"))
    shutil.copy(video, name)
    assert frames(open_importer(name, class_name="mug")) == [0, 10, 20]


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {video}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\n{video}\n#EXT-X-ENDLIST\n",
        "v=0\r\nm=video 5004 RTP/AVP 96\r\n",
        "{video}\n",
        "<MPD><BaseURL>{video}</BaseURL></MPD>",
    ],
    ids=["ffconcat", "m3u8", "sdp", "path", "dash"],
)
@pytest.mark.parametrize("name", ["x.mp4", "x.avi", "x"])
def test_a_text_that_names_other_films_is_no_film(
    video: Path, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text.format(video=video), encoding="utf-8")
    try:
        found = list(open_importer(tmp_path / name, class_name="mug", stretch=Stretch(every=1)))
    except NotImportableError as error:
        assert name in str(error)  # noqa: PT017 - or refused as a picture, below
        return
    (item,) = found
    assert isinstance(item, LabelledPicture)
    with pytest.raises(InvalidImageError, match=name):
        item.encoded()


def test_what_the_environment_tells_ffmpeg_does_not_change_what_a_file_is(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "input_format;concat|safe;0")
    assert frames(open_importer(video, class_name="mug")) == [0, 10, 20]
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "input_format;concat|safe;0"


def test_sound_without_pictures_is_told(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1"]
    subprocess.run([*command, str(tmp_path / "x.mp4")], check=True)  # noqa: S603 - our own
    with pytest.raises(NotImportableError, match="sound only"):
        open_importer(tmp_path / "x.mp4", class_name="mug")


# In a process of its own


def minutes_to_skip(tmp_path: Path) -> Path:
    """Make a film that takes minutes to decode."""
    options = ("-vf", "scale=1920:1080", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "h264")
    film = made(tmp_path, "long.h264", *options)
    film.write_bytes(film.read_bytes() * 2000)
    return film


def test_while_frames_are_skipped_the_child_says_that_it_is_at_it(tmp_path: Path) -> None:
    child = BoundedChild(VideoFrames.__module__)
    question = json.dumps([str(minutes_to_skip(tmp_path)), 1, 1e6, None]).encode()
    child.ask(struct.pack(">I", len(question)), question)
    opened, *skipping = (
        json.loads(child.read(struct.unpack(">I", child.read(4))[0])) for _ in range(3)
    )
    child.end()
    assert set(opened) == {"fps", "count"}
    assert skipping == [{"skipping": True}] * 2


def test_frames_behind_a_long_skip_are_given(tmp_path: Path) -> None:
    film = minutes_to_skip(tmp_path)
    frames = VideoFrames(str(film), 1, 20.0, None)
    time_s, image = next(iter(frames))
    frames.close()
    assert image.shape == (1080, 1920, 3)
    assert time_s == pytest.approx(20.0)


@pytest.mark.skipif(sys.platform != "linux", reason="waits as Linux can")
def test_a_child_that_skips_goes_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from edge_classifier.project.importers.video_frames import VideoFrames\n"
        "frames = VideoFrames(sys.argv[1], 1, 1e6, None)\n"
        "print(frames._child._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(minutes_to_skip(tmp_path))],
        capture_output=True,
        check=False,
    )
    assert ends_soon(int(done.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux lists")
def test_films_that_wait_for_their_turn_take_no_process(video: Path) -> None:
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = open_files()
    films = [open_importer(video, class_name="mug") for _ in range(3)]
    assert open_files() == before
    assert [frames(film) for film in films] == [[0, 10, 20]] * 3
    assert open_files() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds no open files")
def test_a_film_for_which_no_process_can_be_started_is_named(video: Path) -> None:
    if sys.platform == "win32":
        return  # skipped, which mypy does not see
    import resource  # noqa: PLC0415 - not on Windows

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(
            CameraNotFoundError, match=r"mug\.avi.*no other process could be started"
        ):
            VideoFrames(str(video), 1, 0.0, None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
