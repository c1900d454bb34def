"""Files read by the name of their format: small ones here, all others in a child that ends with what it took.

A file may unpack to a gigabyte of text, and what it says takes several times that while it is read. A child has a limit
of its own for it, gives all of it back, and takes nobody along where a library crashes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from annotation.core.ontology import parse_labels
from annotation.core.packing import unpack
from annotation.core.problems import Problem
from annotation.core.tracks import Tracks
from annotation.formats.archives import Archive, InvalidFile, is_zip, refuse
from annotation.formats.assembling import Target
from annotation.formats.choosing import Wanted, choose
from annotation.formats.registry import READERS

CHILD = Path(__file__).with_name("child.py")
# Bytes of a file, unpacked, up to which a child costs more than reading it here would take.
SMALL = 1 << 20
# Formats that pack what they hold themselves, so that a file's size says nothing.
PACKED = ("parquet", "detrac")
# Of those come 400 MB of tracks at rest, and 900 MB of keyframes.
MOST_TRACKS, MOST_KEYFRAMES = 250_000, 20_000_000
MEMORY = 4 << 30
CPU_S = 1800
MIB = 1 << 20
KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_ONE_AT_A_TIME = threading.Lock()


def read_as(format: str, data: bytes, wanted: Wanted, target: Target) -> Tracks:
    """Tracks of the wanted video from a file in one of `READERS`' formats. InvalidFile."""
    part = choose(data, wanted)
    found = READERS[format](data, replace(target, place=part.place), video=part.folder)
    for what, count, most in (
        ("tracks", len(found.tracks), MOST_TRACKS),
        ("keyframes", sum(len(t.frames) for t in found.tracks), MOST_KEYFRAMES),
    ):
        if count > most:
            raise refuse(f"it has {count} {what}; at most {most} are read")
    return found


def read_file(format: str, file: IO[bytes], wanted: Wanted, target: Target) -> Tracks:
    """The same of a file on disk, from its beginning. Whatever it holds, memory is needed here for its tracks alone.

    InvalidFile also where reading takes more than `MEMORY` or `CPU_S`. One large file is read at a time.
    """
    if format not in PACKED and _unpacked_bytes(file) <= SMALL:
        file.seek(0)
        return read_as(format, file.read(), wanted, target)
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as errors:
        return _read_apart(_asked(format, wanted, target), file, errors)


def _unpacked_bytes(file: IO[bytes]) -> int:
    """What comes out of the file at most: of a zip's members no more is read than its directory says."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > SMALL or not is_zip(file.read(4)):
        return size
    return max(size, Archive(file).unpacked_bytes)


def _asked(format: str, wanted: Wanted, target: Target) -> dict[str, Any]:
    labels = target.ontology.to_json() if target.ontology is not None else None
    size = {"frame_count": target.frame_count, "width": target.width, "height": target.height}
    limits = {"memory": MEMORY, "cpu_s": CPU_S}
    return {"format": format, "wanted": asdict(wanted), "target": size, "labels": labels, **limits}


def _read_apart(asked: dict[str, Any], file: IO[bytes], errors: IO[bytes]) -> Tracks:
    # Nothing of ours goes along: no settings, no secrets. Arrow's own allocator would reserve more than it takes.
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    env |= {"ARROW_DEFAULT_MEMORY_POOL": "system"} | {n: os.environ[n] for n in KEPT if n in os.environ}
    file.flush()
    child = subprocess.Popen(
        [sys.executable, "-I", str(CHILD), str(file.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=env,
        pass_fds=(file.fileno(),),
        cwd="/",
    )
    try:
        said, _ = child.communicate(json.dumps(asked).encode())
    finally:
        child.kill()
        child.wait()
    if child.returncode:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4000))
        raise _cause_of_death(child.returncode, errors.read().decode(errors="replace"))
    head, _, payload = said.partition(b"\n")
    answer = json.loads(head)
    if "errors" in answer:
        raise InvalidFile([Problem(pointer, message) for pointer, message in answer["errors"]])
    return unpack(payload, answer["start"], answer["stop"])


def _cause_of_death(code: int, said: str) -> Exception:
    if code == -signal.SIGXCPU:
        return refuse(f"it takes more than {CPU_S // 60} minutes to read; send it in parts")
    if code == -signal.SIGKILL or "MemoryError" in said:
        return refuse(f"it takes more than {MEMORY // MIB} MiB of memory to read; send it in parts")
    if code < 0:
        return refuse("it makes its reader crash")
    return RuntimeError(f"a file could not be read: {said}")


def target_of(asked: dict[str, Any]) -> Target:
    """What a child was asked to read for."""
    labels = asked["labels"]
    return Target(**asked["target"], ontology=None if labels is None else parse_labels(labels))
