"""Clip frame k is source frame start + k, and picture n is frame n, whatever puts other tools off."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.media.clipping import encode_clip
from annotation.media.frame_map import constant_frame_map
from annotation.media.indexing import index
from annotation.media.reading import FrameReader
from annotation.media.settling import settle
from tests.media.conftest import numbers
from tests.media.traps import QUICK, TRAPS

Files = Callable[[str], Path]
every_trap = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in TRAPS]
)


@every_trap
def test_an_index_says_what_the_file_is(name: str, trap_file: Files) -> None:
    trap, found = TRAPS[name], index(trap_file(name))
    assert len(found.frame_map) == trap.count
    assert (found.width, found.height) == trap.how.size
    assert {w.code for w in found.warnings} == trap.warnings
    assert found.variable_frame_rate == trap.variable
    assert (np.diff(found.frame_map.times) > 0).all()
    if not trap.variable:
        assert found.fps == pytest.approx(float(trap.how.rate), rel=1e-3)


@every_trap
def test_the_decode_pass_agrees_with_the_packets(name: str, trap_file: Files) -> None:
    path = trap_file(name)
    promised = index(path).frame_map
    settled = settle(path, replace(promised, settled=0))
    assert settled.sha256 == promised.sha256
    assert settled.settled == len(promised)
    assert not settled.undecodable


@every_trap
def test_a_picture_is_exactly_its_frame_in_any_order(name: str, trap_file: Files) -> None:
    trap, path = TRAPS[name], trap_file(name)
    frame_map = index(path).frame_map
    order = [*range(len(frame_map)), *random.Random(7).sample(range(len(frame_map)), 40)]
    with FrameReader(path, frame_map) as reader:
        assert numbers(reader, order, frame_map) == [trap.first + n for n in order]


@every_trap
def test_clip_frame_k_is_source_frame_start_plus_k(name: str, trap_file: Files, tmp_path: Path) -> None:
    trap, path, out = TRAPS[name], trap_file(name), tmp_path / "clip.mp4"
    frame_map = index(path).frame_map
    start, stop = 13, 58
    facts = encode_clip(path, frame_map, start, stop, out)
    clip_map = constant_frame_map(stop - start, facts.rate, facts.width, facts.height)
    order = [*range(len(clip_map)), *random.Random(5).sample(range(len(clip_map)), 10)]
    with FrameReader(out, clip_map) as reader:
        assert numbers(reader, order, clip_map) == [trap.first + start + k for k in order]


@every_trap
def test_a_clip_is_as_dull_as_can_be(name: str, trap_file: Files, tmp_path: Path) -> None:
    path, out = trap_file(name), tmp_path / "clip.mp4"
    frame_map = index(path).frame_map
    facts = encode_clip(path, frame_map, 0, 65, out)
    clip = index(out)
    expected = constant_frame_map(65, facts.rate, facts.width, facts.height)
    assert clip.warnings == ()
    assert not clip.variable_frame_rate
    assert clip.frame_map.times_s() == pytest.approx(facts.frame_times_s, abs=1e-9)
    assert clip.frame_map.keyframes == expected.keyframes == (0, 30, 60)
    assert (clip.codec, clip.container) == ("H.264", "mp4")
    assert (facts.width % 2, facts.height % 2) == (0, 0)
    head = out.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    assert facts.bytes == len(head)


def test_what_encodes_av1_stays_a_process_like_any_other(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    TRAPS["av1"].write(tmp_path)
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before
