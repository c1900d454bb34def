"""Pictures of single frames: exact, from any thread, from few children that may die at any time."""

from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.media.barcodes import read_barcode
from annotation.media.clipping import encode_clip
from annotation.media.errors import FrameUndecodable, LimitReached
from annotation.media.frame_map import FrameMap, constant_frame_map
from annotation.media.indexing import index
from annotation.media.pictures import PicturePool
from annotation.media.sandbox import Child
from tests.media.traps import TRAPS

Files = Callable[[str], Path]


@pytest.fixture(scope="module")
def pool() -> Iterator[PicturePool]:
    with PicturePool(2) as pool:
        yield pool


def seen(picture: bytes) -> int | None:
    return read_barcode(np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")))


def test_a_picture_shows_exactly_its_frame(pool: PicturePool, trap_file: Files) -> None:
    for name in ("b_frames", "b_frames_avi", "edit_list", "rotated"):
        trap, path = TRAPS[name], trap_file(name)
        frame_map = index(path).frame_map
        for n in random.Random(name).sample(range(len(frame_map)), 12):
            assert seen(pool.picture(path, frame_map, n)) == trap.first + n


@pytest.mark.parametrize(("format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_pictures_come_in_three_formats_and_any_smaller_width(
    format: str, kind: str, pool: PicturePool, trap_file: Files
) -> None:
    path = trap_file("rotated")
    frame_map = index(path).frame_map
    whole = Image.open(io.BytesIO(pool.picture(path, frame_map, 31, format)))
    small = Image.open(io.BytesIO(pool.picture(path, frame_map, 31, format, 48)))
    wide = Image.open(io.BytesIO(pool.picture(path, frame_map, 31, format, 4000)))
    assert whole.format == small.format == kind
    assert (whole.size, small.size, wide.size) == ((96, 64), (48, 32), (96, 64))
    assert read_barcode(np.asarray(whole.convert("RGB"))) == 31


def test_a_clips_pictures_are_the_sources_frames(pool: PicturePool, trap_file: Files, tmp_path: Path) -> None:
    path = trap_file("variable")
    facts = encode_clip(path, index(path).frame_map, 20, 60, tmp_path / "clip.mp4")
    clip_map = constant_frame_map(40, facts.rate, facts.width, facts.height)
    for k in (0, 39, 7, 8, 30):
        assert seen(pool.picture(tmp_path / "clip.mp4", clip_map, k)) == 20 + k


def test_what_was_shown_to_one_viewer_makes_nothing_quicker_for_another(
    trap_file: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    sent: list[tuple[object, int]] = []
    ask = Child.ask

    def watched(child: Child, head: dict[str, object], payload: bytes = b"") -> None:
        nonlocal sent
        sent += [(head["n"], len(payload))] if "n" in head else []
        ask(child, head, payload)

    monkeypatch.setattr(Child, "ask", watched)
    with PicturePool(1) as pool:
        first, again, other = (pool.picture(path, frame_map, 7, viewer=viewer) for viewer in ("a", "a", "b"))
        pool.picture(path, frame_map, 8, viewer="b")
    assert first == again == other
    opened = len(frame_map.pack())
    # The same viewer's second look is remembered; another's opens the file and decodes, and then has it open.
    assert sent == [(7, opened), (7, opened), (8, 0)]


def test_past_the_end_damaged_and_unknown_are_different_errors(pool: PicturePool, trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = replace(index(path).frame_map, undecodable=(40,))
    for n in (-1, 75):
        with pytest.raises(IndexError, match="75 frames"):
            pool.picture(path, frame_map, n)
    with pytest.raises(FrameUndecodable, match="frame 40"):
        pool.picture(path, frame_map, 40)
    with pytest.raises(ValueError, match="png, jpeg, webp"):
        pool.picture(path, frame_map, 1, "bmp")


def test_a_frame_that_turns_out_undecodable_keeps_its_child(trap_file: Files) -> None:
    path = trap_file("b_frames")
    real = index(path).frame_map
    wrong = replace(real, times=real.times * 2 + 1, stamps=real.times * 2 + 1)
    with PicturePool(1) as pool:
        with pytest.raises(FrameUndecodable):
            pool.picture(path, wrong, 3)
        child = pool._idle[0].child
        assert seen(pool.picture(path, real, 3)) == 3
        assert pool._idle[0].child is child


def test_many_threads_get_their_own_frames(trap_file: Files) -> None:
    files = [(trap_file(n), index(trap_file(n)).frame_map) for n in ("b_frames", "variable", "b_frames_avi")]
    rng = random.Random(2)
    questions = [(rng.choice(files), rng.randrange(75)) for _ in range(60)]

    def ask(question: tuple[tuple[Path, FrameMap], int]) -> int | None:
        (path, frame_map), n = question
        return seen(pool.picture(path, frame_map, n, "jpeg"))

    with PicturePool(2, cache_bytes=0) as pool, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, questions)) == [n for _, n in questions]
        assert len(pool._idle) <= 2


def test_more_videos_than_a_child_keeps_open(trap_file: Files) -> None:
    names = ["b_frames", "variable", "b_frames_avi", "rotated", "open_gop", "mpeg2_interlaced"]
    maps = {name: index(trap_file(name)).frame_map for name in names}
    with PicturePool(1, cache_bytes=0) as pool:
        for n in (3, 50):
            for name in names:
                assert seen(pool.picture(trap_file(name), maps[name], n)) == n


def test_children_are_replaced_when_worn_and_when_killed(trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    with PicturePool(1, cache_bytes=0, recycle_after=2) as pool:
        pool.picture(path, frame_map, 1)
        first = pool._idle[0].child.process.pid
        pool.picture(path, frame_map, 2)
        assert pool._idle == []
        assert seen(pool.picture(path, frame_map, 3)) == 3
        second = pool._idle[0].child.process
        assert second.pid != first
        os.kill(second.pid, 9)
        second.wait()
        assert seen(pool.picture(path, frame_map, 4)) == 4


def test_a_picture_that_takes_too_long_is_given_up_and_the_next_one_comes(trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    with PicturePool(1) as pool:
        pool.picture(path, frame_map, 1)
        pool._idle[0].child.limits = replace(pool.limits, wall_s=0.0)
        with pytest.raises(LimitReached):
            pool.picture(path, frame_map, 2)
        assert pool._idle == []
        assert seen(pool.picture(path, frame_map, 2)) == 2


def test_waiting_for_a_busy_child_ends(trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    with PicturePool(1) as pool:
        pool.limits = replace(pool.limits, wall_s=0.1)
        pool._busy = 1
        with pytest.raises(LimitReached):
            pool.picture(path, frame_map, 2)
        pool._busy = 0


def test_a_cached_picture_needs_no_child(trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    with PicturePool(1) as pool:
        first = pool.picture(path, frame_map, 5)
        for decoder in pool._idle:
            decoder.child.kill()
        assert pool.picture(path, frame_map, 5) == first
        assert not pool._idle[0].child.alive()


def test_a_closed_pool_leaves_no_child(trap_file: Files) -> None:
    path = trap_file("b_frames")
    pool = PicturePool(1)
    pool.picture(path, index(path).frame_map, 5)
    process = pool._idle[0].child.process
    pool.close()
    assert process.returncode is not None


def test_a_fork_starts_children_of_its_own(trap_file: Files) -> None:
    path = trap_file("b_frames")
    frame_map = index(path).frame_map
    with PicturePool(1) as pool:
        pool.picture(path, frame_map, 5)
        pool._owner += 1  # as a forked process sees it
        inherited = pool._idle[0].child
        assert seen(pool.picture(path, frame_map, 6)) == 6
        assert pool._idle[0].child is not inherited
        assert inherited.alive()
        inherited.kill()
    assert threading.active_count() < 50
