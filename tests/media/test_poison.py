"""Uploads that mean harm: refused with a reason or played correctly; the parent, other files and the net untouched."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.media.errors import LimitReached, Rejected
from annotation.media.limits import MIB, Limits
from annotation.media.opening import open_video, sniff
from annotation.media.reading import FrameReader
from annotation.media.sandboxed import sandboxed_encode_clip, sandboxed_index, sandboxed_settle
from tests.media import poison
from tests.media.conftest import numbers
from tests.media.traps import TRAPS

Files = Callable[[str], Path]
LIMITS = Limits(memory=700 * MIB, cpu_s=30, wall_s=60, output_bytes=50 * MIB)
#: One file of each codec, in the container in which people bring it.
CODECS = [
    *("b_frames", "hevc", "vp8_hidden", "vp9_hidden", "av1", "mpeg2_ts", "mpeg4_b_frames_avi", "msmpeg4", "prores"),
    *("mjpeg", "b_frames_mkv", "mpeg_ts"),
]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what was asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v.mp4", asked
    server.shutdown()
    server.server_close()


def test_playlists_in_disguise_open_nothing(
    tmp_path: Path, trap_file: Files, listener: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = trap_file("plain")
    monkeypatch.chdir(tmp_path)
    address, asked = listener
    for path in poison.write_disguised(tmp_path, victim, address).values():
        with pytest.raises(Rejected, match="not a video"), open_video(path):
            pass
    assert asked == []


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/v.mp4", "concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4"])
def test_a_name_is_a_name_even_where_it_looks_like_an_address(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_video(tmp_path / name):
        pass


def test_what_is_no_video_is_refused_with_a_reason(tmp_path: Path) -> None:
    for name, path in poison.write_other_kinds(tmp_path).items():
        with pytest.raises((Rejected, LimitReached)) as refused:
            sniff(path)  # most get no further, and need no child
            sandboxed_index(path, LIMITS)
        assert len(str(refused.value)) > 30, name
        assert "upload" in str(refused.value) or "no video" in str(refused.value), (name, str(refused.value))


@pytest.mark.parametrize("file", ["huge.mp4", "huge.mkv", "huge.ts"])
def test_more_pixels_than_allowed_are_refused_cheaply(file: str, tmp_path: Path) -> None:
    poison.write_huge_pictures(tmp_path / file, "libx264", side=5000, frames=1)
    with pytest.raises(Rejected, match="5000 × 5000"):
        sandboxed_index(tmp_path / file, replace(LIMITS, memory=350 * MIB, cpu_s=5))


@pytest.mark.long
@pytest.mark.parametrize(("file", "codec"), [("h.mp4", "libx264"), ("h.ts", "libx264"), ("j.avi", "mjpeg")])
def test_sixteen_thousand_pixels_square_in_full(file: str, codec: str, tmp_path: Path) -> None:
    poison.write_huge_pictures(tmp_path / file, codec, side=16000)
    with pytest.raises((Rejected, LimitReached)):
        sandboxed_index(tmp_path / file, replace(LIMITS, memory=350 * MIB, cpu_s=5))


def test_a_picture_that_needs_more_memory_than_there_is_ends_the_child_alone(tmp_path: Path) -> None:
    poison.write_huge_pictures(tmp_path / "big.mp4", "libx264", side=4000, frames=3)
    roomy = Limits(pixels=40_000_000)
    frame_map = sandboxed_index(tmp_path / "big.mp4", roomy).frame_map
    with pytest.raises(LimitReached) as refused:
        sandboxed_encode_clip(
            tmp_path / "big.mp4",
            frame_map,
            0,
            3,
            tmp_path / "c.mp4",
            limits=replace(LIMITS, memory=260 * MIB, pixels=40_000_000),
        )
    assert refused.value.limit == "memory"
    assert not (tmp_path / "c.mp4").exists()
    assert sandboxed_encode_clip(tmp_path / "big.mp4", frame_map, 0, 3, tmp_path / "c.mp4", limits=roomy).width == 1280


@pytest.mark.parametrize("frames", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_tiny_frames_are_indexed_or_refused_by_their_number(frames: int, tmp_path: Path) -> None:
    poison.write_many_tiny_frames(tmp_path / "many.mp4", frames)
    found = sandboxed_index(tmp_path / "many.mp4", replace(LIMITS, memory=400 * MIB))
    assert len(found.frame_map) == frames
    with pytest.raises(Rejected, match="more than 9,000 frames"):
        sandboxed_index(tmp_path / "many.mp4", replace(LIMITS, frames=9_000))


def _survives(path: Path) -> None:
    """A damaged file is refused, or read from end to end."""
    try:
        found = sandboxed_index(path, LIMITS)
        settled = sandboxed_settle(path, found.frame_map, limits=LIMITS)
    except (Rejected, LimitReached) as refused:
        assert "upload" in str(refused).lower()
        return
    assert settled.settled == len(settled)
    facts = sandboxed_encode_clip(path, settled, 0, len(settled), path.with_suffix(".clip.mp4"), limits=LIMITS)
    assert len(facts.frame_times_s) == len(settled)


@pytest.mark.parametrize("name", CODECS)
def test_a_file_cut_off_or_with_turned_bits_is_refused_or_read(name: str, trap_file: Files, tmp_path: Path) -> None:
    data, suffix = trap_file(name).read_bytes(), trap_file(name).suffix
    for kind, damaged in {"cut": poison.truncated(data, 0.6), "flip": poison.flipped(data, 4, len(data) // 6)}.items():
        path = tmp_path / f"{kind}{suffix}"
        path.write_bytes(damaged)
        _survives(path)


@pytest.mark.long
@pytest.mark.parametrize("name", CODECS)
def test_files_damaged_in_many_ways_are_refused_or_read(name: str, trap_file: Files, tmp_path: Path) -> None:
    data, suffix = trap_file(name).read_bytes(), trap_file(name).suffix
    for seed in range(25):
        for kind in (poison.flipped, poison.wiped):
            path = tmp_path / f"{kind.__name__}{seed}{suffix}"
            path.write_bytes(kind(data, seed, 0 if seed % 2 else len(data) // 6))
            _survives(path)
            path.unlink()


@pytest.mark.parametrize("name", ["mjpeg", "prores", "b_frames_mov"])
def test_damage_in_the_pictures_moves_no_number(name: str, trap_file: Files, tmp_path: Path) -> None:
    """Bits are turned where the pictures lie: whatever can still be read shows its own number."""
    path = trap_file(name)
    data = path.read_bytes()
    with open_video(path) as (container, stream):
        places = [(p.pos, p.size) for p in container.demux(stream) if p.size]
    for seed in (0, 4):
        out = bytearray(data)
        for at, size in places[seed + 3 :: 11]:
            out[at + 8 : at + min(size, 40 + seed)] = bytes(min(size, 40 + seed) - 8)
        damaged = tmp_path / f"{seed}{path.suffix}"
        damaged.write_bytes(out)
        found = sandboxed_settle(damaged, sandboxed_index(damaged, LIMITS).frame_map, limits=LIMITS)
        assert len(found) == TRAPS[name].count
        with FrameReader(damaged, found) as reader:
            read = numbers(reader, list(range(len(found))), found)
        if name != "b_frames_mov":
            assert all(number in (None, n) for n, number in enumerate(read))
            assert sum(number is None for number in read) <= len(places[seed + 3 :: 11])
        untouched = range(min(seed + 3, len(found)))
        assert all(read[n] == n for n in untouched if n < seed)


def test_the_next_good_video_is_read_and_nothing_else_was_touched(trap_file: Files, tmp_path: Path) -> None:
    good = trap_file("b_frames")
    before = hashlib.sha256(good.read_bytes()).hexdigest()
    started = time.monotonic()
    (tmp_path / "bad.mp4").write_bytes(poison.flipped(good.read_bytes(), 1))
    _survives(tmp_path / "bad.mp4")
    assert len(sandboxed_index(good, LIMITS).frame_map) == TRAPS["b_frames"].count
    assert hashlib.sha256(good.read_bytes()).hexdigest() == before
    assert time.monotonic() - started < LIMITS.wall_s
