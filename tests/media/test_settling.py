"""The decode pass: damaged frames keep their number, what is no frame leaves, and what is settled never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from av.packet import Packet

from annotation.media.clipping import encode_clip
from annotation.media.errors import FrameUndecodable, Rejected
from annotation.media.frame_map import FrameMap, constant_frame_map
from annotation.media.indexing import index
from annotation.media.opening import create_video, open_video
from annotation.media.reading import FrameReader
from annotation.media.settling import is_due, settle
from tests.media.conftest import numbers
from tests.media.traps import TRAPS

Files = Callable[[str], Path]
#: An MPEG-4 picture of type P that says "not coded" (ISO/IEC 14496-2, 6.2.5), at 25 ticks a second.
NOT_CODED = b"\x00\x00\x01\xb6\x50\x20"


def damage(source: Path, out: Path, frames: list[int]) -> Path:
    """A copy in which the packets of some frames, counted in decode order, are wiped out."""
    with open_video(source) as (container, stream):
        places = [(p.pos, p.size) for p in container.demux(stream) if p.size]
    data = bytearray(source.read_bytes())
    for n in frames:
        at, size = places[n]
        data[at + 8 : at + size] = b"\xff" * (size - 8)
    out.write_bytes(data)
    return out


def read_all(path: Path, frame_map: FrameMap) -> list[int | None]:
    with FrameReader(path, frame_map) as reader:
        return numbers(reader, list(range(len(frame_map))), frame_map)


@pytest.mark.parametrize("lost", [[5], [0], [74], [20, 21, 22], list(range(30, 60))])
def test_frames_that_cannot_be_decoded_keep_their_number(lost: list[int], trap_file: Files, tmp_path: Path) -> None:
    path = damage(trap_file("prores"), tmp_path / "damaged.mov", lost)
    settled = settle(path, index(path).frame_map)
    assert settled.undecodable == tuple(lost)
    assert read_all(path, settled) == [None if n in lost else n for n in range(75)]
    with FrameReader(path, settled) as reader, pytest.raises(FrameUndecodable, match=f"frame {lost[0]} "):
        reader.frame(lost[0])


def test_a_clip_shows_the_picture_before_a_damaged_one(trap_file: Files, tmp_path: Path) -> None:
    path = damage(trap_file("prores"), tmp_path / "damaged.mov", [9, 10, 11, 20])
    settled = settle(path, index(path).frame_map)
    shown = {}
    for start in (0, 10, 11):
        facts = encode_clip(path, settled, start, 25, tmp_path / "clip.mp4")
        shown[start] = read_all(
            tmp_path / "clip.mp4", constant_frame_map(25 - start, facts.rate, facts.width, facts.height)
        )
    expected = [n if n not in (9, 10, 11, 20) else {20: 19}.get(n, 8) for n in range(25)]
    assert shown == {start: expected[start:] for start in shown}


def test_a_video_that_begins_with_damage_begins_black(trap_file: Files, tmp_path: Path) -> None:
    path = damage(trap_file("prores"), tmp_path / "damaged.mov", [0, 1])
    settled = settle(path, index(path).frame_map)
    facts = encode_clip(path, settled, 0, 4, tmp_path / "clip.mp4")
    clip_map = constant_frame_map(4, facts.rate, facts.width, facts.height)
    assert read_all(tmp_path / "clip.mp4", clip_map) == [None, None, 2, 3]


def test_a_video_without_one_good_frame_is_rejected(trap_file: Files, tmp_path: Path) -> None:
    path = damage(trap_file("prores"), tmp_path / "damaged.mov", list(range(75)))
    with pytest.raises(Rejected, match="No frame of the video can be decoded"):
        index(path)


def with_extra_packets(source: Path, out: Path, places: list[int], extra: bytes) -> Path:
    """A copy, packet for packet, in which some places of the file hold a packet more."""
    with open_video(source) as (container, stream), create_video(out) as target:
        copy = target.add_stream_from_template(stream)
        times = []
        for n, packet in enumerate(p for p in container.demux(stream) if p.size):
            if n in places:
                times.append((bytes(extra), packet.time_base))
                more = Packet(extra)
                more.stream, more.time_base = copy, packet.time_base
                more.pts = more.dts = packet.pts - 20
                target.mux(more)
            packet.stream = copy
            target.mux(packet)
    return out


@pytest.fixture
def with_empty_pictures(trap_file: Files, tmp_path: Path) -> Path:
    """75 frames of MPEG-4 with pictures that are not coded before the 12th, the 60th and the 61st."""
    return with_extra_packets(trap_file("mpeg4_mkv"), tmp_path / "extra.mkv", [12, 60, 61], NOT_CODED)


def test_packets_that_show_nothing_leave_the_unsettled_part(with_empty_pictures: Path) -> None:
    found = index(with_empty_pictures)
    assert len(found.frame_map) == 77, "one of three lies among the first frames, which are decoded at once"
    assert {w.code for w in found.warnings} == {"hidden_packets", "variable_frame_rate"}
    seen: list[FrameMap] = []
    settled = settle(with_empty_pictures, found.frame_map, seen.append)
    assert (len(settled), settled.settled, settled.undecodable) == (75, 75, ())
    assert read_all(with_empty_pictures, settled) == list(range(75))
    assert read_all(with_empty_pictures, found.frame_map)[:59] == list(range(59))


def test_what_is_settled_never_changes(
    with_empty_pictures: Path, trap_file: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.media.settling.REPORT_FRAMES", 3)
    damaged = damage(trap_file("b_frames_mkv"), tmp_path / "d.mkv", [10, 33, 34, 50])
    for path in (with_empty_pictures, damaged):
        seen: list[FrameMap] = []
        final = settle(path, replace(index(path).frame_map, settled=0, undecodable=()), seen.append)
        assert len(seen) > 10
        for newer in seen:
            assert (newer.times[: newer.settled] == final.times[: newer.settled]).all()
            early = tuple(n for n in final.undecodable if n < newer.settled)
            assert newer.undecodable == early


@pytest.mark.parametrize("name", ["b_frames_mkv", "open_gop", "hevc", "mpeg_ts", "prores"])
def test_a_pass_that_was_interrupted_ends_the_same(name: str, trap_file: Files, tmp_path: Path) -> None:
    path = damage(trap_file(name), tmp_path / f"d{trap_file(name).suffix}", [10, 33, 34, 50, 73])
    whole = settle(path, index(path).frame_map)
    assert len(whole) == 75 or name == "mpeg_ts", "there the damage takes packets with it"
    for stop in (1, 12, 25, 41, 42, 60, 74):
        part = settle(path, replace(index(path).frame_map, settled=0, undecodable=()), until=stop)
        assert stop <= part.settled
        resumed = settle(path, part)
        assert resumed.undecodable == whole.undecodable
        assert resumed.sha256 == whole.sha256


def test_packets_before_the_first_keyframe_are_no_frames(trap_file: Files, tmp_path: Path) -> None:
    """A recording that was cut out of a broadcast begins in the middle of a group."""
    for name in ("mpeg_ts", "mpeg2_ts", "open_gop_ts"):
        data = trap_file(name).read_bytes()
        with open_video(trap_file(name)) as (container, stream):
            places = [p.pos for p in container.demux(stream) if p.size]
        path = tmp_path / f"{name}.ts"
        path.write_bytes(data[: 188 * 3] + data[places[7] // 188 * 188 :])
        settled = settle(path, index(path).frame_map)
        shown = read_all(path, settled)
        assert None not in shown and shown == list(range(shown[0] or 0, TRAPS[name].count)), name
        assert 12 <= (shown[0] or 0) <= 20


def test_one_wrong_time_far_ahead_settles_nothing_early(trap_file: Files) -> None:
    path = trap_file("b_frames_mkv")
    found = index(path).frame_map
    times = found.times.copy()
    order = np.r_[0:10, 11:75, 10]
    wrong = replace(
        found, times=np.r_[times[:10], times[11:], times[-1] + 40], stamps=times[order], settled=0, keyframes=(0,)
    )
    settled = settle(path, wrong)
    assert not settled.undecodable and len(settled) == 75


@pytest.mark.parametrize("seconds_a_frame", [0.0, 0.0005, 0.05])
def test_a_long_video_is_told_of_in_stretches_that_grow(seconds_a_frame: float) -> None:
    """Each telling costs in proportion to the whole video: ten times the frames are not ten times the tellings."""
    told = {}
    for frames in (20_000, 200_000):
        reported, tellings = 0, []
        for frontier in range(frames):
            if is_due(frontier, reported, seconds_a_frame * (frontier - reported)):
                tellings.append(frontier)
                reported = frontier
        told[frames] = tellings
    assert told[20_000][0] <= 256
    assert len(told[200_000]) <= 3 * len(told[20_000])


@pytest.mark.parametrize("name", ["b_frames_avi", "mjpeg"])
def test_a_lost_packet_of_an_avi_shifts_no_frame_that_is_jumped_to(name: str, trap_file: Files, tmp_path: Path) -> None:
    """Its times are counts: of the packets that were read, but of the index after a seek."""
    source, path = trap_file(name), tmp_path / "lost.avi"
    with open_video(source) as (container, stream):
        places = [p.pos for p in container.demux(stream) if p.size]
    data = bytearray(source.read_bytes())
    data[places[10] - 8 : places[10]] = b"\xff" * 8
    path.write_bytes(data)
    frame_map = settle(path, index(path).frame_map)
    shown = read_all(path, frame_map)
    assert len(frame_map) < 75 and shown[-10:] == list(range(65, 75))
    with FrameReader(path, frame_map) as reader:
        assert numbers(reader, [len(frame_map) - 10], frame_map) == [65]


@pytest.mark.parametrize("name", ["b_frames_avi", "mpeg4_b_frames_avi", "mjpeg", "msmpeg4"])
def test_an_avi_that_lost_its_index_shows_whole_frames_to_who_jumps(
    name: str, trap_file: Files, tmp_path: Path
) -> None:
    """Every packet is called a keyframe then, and some decoders begin anywhere without a word."""
    data, path = trap_file(name).read_bytes(), tmp_path / "cut.avi"
    path.write_bytes(data[: data.rindex(b"idx1")])
    frame_map = settle(path, index(path).frame_map)
    with FrameReader(path, frame_map) as reader:
        assert numbers(reader, list(range(74, -1, -1)), frame_map) == list(range(74, -1, -1))
