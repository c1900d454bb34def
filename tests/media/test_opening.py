"""The one door to libav: what it is, what passes, and what never does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.media import opening
from annotation.media.errors import Rejected
from annotation.media.opening import CODECS, DEMUXERS, FLOOR, open_video, sniff

ROOT = Path(__file__).resolve().parents[2]
#: Compiled into the wheels, and in the affected range of 2026's CVEs: the APAC decoder; the TY demuxer, and Shorten.
KNOWN_BAD = {"decoders": {"apac", "shorten"}, "demuxers": {"ty", "apac", "shn"}}


def test_ffmpeg_is_not_older_than_what_was_examined() -> None:
    for library, floor in FLOOR.items():
        assert av.library_versions[library] >= floor
    assert tuple(int(part) for part in av.__version__.split(".")[:2]) >= (16, 1)


def test_what_has_known_holes_is_on_no_list() -> None:
    assert not KNOWN_BAD["decoders"] & set(CODECS)
    assert not KNOWN_BAD["demuxers"] & set(DEMUXERS.values())
    assert not {"concat", "hls", "dash", "image2", "sdp", "lavfi", "rtsp", "tty"} & set(DEMUXERS.values())


def test_there_is_one_call_that_opens_a_file() -> None:
    calls = []
    for folder in ("annotation", "crowd", "review", "config"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            calls += [path] * len(re.findall(r"\bav\.open\(|\bav\.container\.open\(", text))
            if "annotation/media" not in path.as_posix():
                assert not re.search(r"^\s*(import av|from av)\b", text, re.MULTILINE), path
    assert calls == [Path(opening.__file__)]


def test_every_codec_on_the_list_can_be_decoded() -> None:
    for name in set(CODECS) - {"msmpeg4v3"}:  # an alias of msmpeg4
        assert av.codec.Codec(name, "r").type == "video"


@given(st.binary(max_size=600))
def test_any_bytes_are_a_container_or_a_refusal_in_words(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(data)
    try:
        assert sniff(path) in DEMUXERS
    except Rejected as refused:
        assert str(refused).endswith(".")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x00\x00\x00\x18ftypisom", "mp4"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mp4"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "avi"),
        ((b"\x47" + bytes(187)) * 20, "mpeg-ts"),
        ((bytes(4) + b"\x47" + bytes(187)) * 20, "mpeg-ts"),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_bytes(head)
    assert sniff(tmp_path / "any.txt") == kind


def test_a_codec_that_is_not_on_the_list_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "gif.mkv"
    with opening.create_video(path) as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(Rejected, match="FFmpeg video codec #1"), open_video(path):
        pass


@pytest.mark.parametrize("cut_in", [b"mdia", b"minf", b"stbl"])
def test_an_mp4_that_is_cut_off_where_it_says_what_is_in_it_is_said_to_be_incomplete(
    cut_in: bytes, tmp_path: Path
) -> None:
    with opening.create_clip(tmp_path / "whole.mp4", 25) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(cut_in) + 4])
    with pytest.raises(Rejected, match="not (be )?complete"), open_video(tmp_path / "cut.mp4"):
        pass


def test_the_endings_of_names_mean_nothing(tmp_path: Path, trap_file: Callable[[str], Path]) -> None:
    (tmp_path / "video.txt").write_bytes(trap_file("b_frames").read_bytes())
    with open_video(tmp_path / "video.txt") as (container, _):
        assert container.format.name == "mov"
