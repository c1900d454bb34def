"""A stitch as bytes that are read in pieces: which track is which object segment by segment, and object by object what
it is made of. A video of hours has tens of thousands of joins, and who writes it out needs some of them at a time.

    "TWS2", length of the head, head, blocks of segments, blocks of objects

Head and blocks are JSON, each deflated by itself. The head names the segments (elsewhere a segment is its place in that
list) and says how long the blocks are. A stitch of before (all of it one deflated JSON object) is read as well.
"""

from __future__ import annotations

import json
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from sys import intern
from typing import Any

from annotation.core.joins import Join, Ref, Stitched

MAGIC = b"TWS2"
_LENGTH = struct.Struct("<I")
SEGMENTS = 32  # in a block
TRACKS = 256  # of segments, after which a block of objects ends


@dataclass(frozen=True, slots=True)
class Thread:
    """One object of a video: its segments' tracks in the order of the segments, and the joins between them."""

    refs: tuple[Ref, ...]
    joins: tuple[Join, ...]


def pack(stitched: Stitched, order: Sequence[str]) -> bytes:
    """Joins and identities as bytes; `order` are the segments' ids in the order of the video."""
    place = {key: i for i, key in enumerate(dict.fromkeys([*order, *_keys(stitched)]))}
    segments: list[list[list[Any]]] = [[] for _ in place]
    threads: dict[int, tuple[list[Any], list[Any]]] = {}
    for (key, track), number in stitched.identities.items():
        segments[place[key]].append([track, number])
        threads.setdefault(number, ([], []))[0].append([place[key], track])
    for join in stitched.joins:
        threads[stitched.identities[join.left]][1].append(_said(join, place))
    bundles = list(_bundles([number, sorted(refs), joins] for number, (refs, joins) in sorted(threads.items())))
    told = [_deflated(segments[at : at + SEGMENTS]) for at in range(0, len(segments), SEGMENTS)]
    objects = [_deflated(bundle) for bundle in bundles]
    head = {
        "next_identity": stitched.next_identity,
        "refused": stitched.refused,
        "keys": list(place),
        "segments": [len(block) for block in told],
        "objects": [len(block) for block in objects],
        "firsts": [bundle[0][0] for bundle in bundles],
    }
    first = _deflated(head)
    return b"".join([MAGIC, _LENGTH.pack(len(first)), first, *told, *objects])


def _keys(stitched: Stitched) -> Iterator[str]:
    """The segments that are named."""
    yield from (key for key, _ in stitched.identities)
    yield from (key for join in stitched.joins for (key, _), _ in join.rivals)


def _said(join: Join, place: Mapping[str, int]) -> list[Any]:
    """A join as a list, of which `PackedStitch` makes it again."""
    rivals = [[place[key], track, similarity] for (key, track), similarity in join.rivals]
    ends = [place[join.left[0]], join.left[1], place[join.right[0]], join.right[1]]
    measures = [join.kind, join.confidence, join.doubtful, join.similarity, join.margin, join.shared, join.error]
    return [*ends, *measures, join.decided, rivals, join.nearest]


def _bundles(threads: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    """Objects some at a time, until there are tracks enough for a block."""
    some: list[list[Any]] = []
    count = 0
    for thread in threads:
        some.append(thread)
        count += len(thread[1])
        if count >= TRACKS:
            yield some
            some, count = [], 0
    if some:
        yield some


def _deflated(content: Any) -> bytes:
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode())


def _inflated(data: bytes | memoryview) -> Any:
    return json.loads(zlib.decompress(data))


class PackedStitch:
    """What `pack` wrote, of which only what is asked for is unpacked, and what was read last is kept."""

    def __init__(self, payload: bytes | memoryview, order: Sequence[str]) -> None:
        """`order` as in `pack`: a stitch of before does not say it."""
        if bytes(payload[: len(MAGIC)]) != MAGIC:
            payload = pack(_of_before(payload), order)
        self._payload = memoryview(payload)
        begin = len(MAGIC) + _LENGTH.size
        (length,) = _LENGTH.unpack_from(self._payload, len(MAGIC))
        head = _inflated(self._payload[begin : begin + length])
        self.next_identity: int = head["next_identity"]
        self.refused = tuple((_pair(a), _pair(b)) for a, b in head["refused"])
        self._keys = [intern(key) for key in head["keys"]]
        self._place = {key: i for i, key in enumerate(self._keys)}
        self._firsts: list[int] = head["firsts"]
        self._segment_blocks = len(head["segments"])
        self._edges = list(accumulate(head["segments"] + head["objects"], initial=begin + length))
        self._segments = lru_cache(maxsize=2)(self._segment_block)
        self._objects: tuple[int, dict[int, Any]] = (-1, {})

    def _block(self, at: int) -> Any:
        return _inflated(self._payload[self._edges[at] : self._edges[at + 1]])

    def _segment_block(self, at: int) -> list[dict[str, int]]:
        return [{intern(track): number for track, number in segment} for segment in self._block(at)]

    def _object_block(self, at: int) -> dict[int, Any]:
        return {number: (refs, joins) for number, refs, joins in self._block(self._segment_blocks + at)}

    def numbers(self, segment: str) -> Mapping[str, int]:
        """The objects' numbers by the ids of a segment's tracks."""
        at = self._place.get(segment)
        return self._segments(at // SEGMENTS)[at % SEGMENTS] if at is not None else {}

    def identities(self, segments: Iterable[str]) -> dict[Ref, int]:
        """The objects' numbers of the tracks of some segments."""
        return {(key, track): number for key in segments for track, number in self.numbers(key).items()}

    def thread(self, number: int) -> Thread | None:
        """What an object is made of; None where there is none of that number."""
        at = bisect_right(self._firsts, number) - 1
        if at != self._objects[0] and at >= 0:
            self._objects = (-1, {})  # two at once would be twice as much
            self._objects = (at, self._object_block(at))
        found = self._objects[1].get(number)
        return self._thread(*found) if found is not None else None

    def _thread(self, refs: list[list[Any]], joins: list[list[Any]]) -> Thread:
        return Thread(tuple(self._ref(*ref) for ref in refs), tuple(self._join(join) for join in joins))

    def _ref(self, place: int, track: str) -> Ref:
        return self._keys[place], intern(track)

    def _join(self, said: list[Any]) -> Join:
        a, left, b, right, kind, confidence, doubtful, similarity, margin, shared, error, decided, rivals, *more = said
        ends, measures = (self._ref(a, left), self._ref(b, right)), (similarity, margin, shared, error)
        known = tuple((self._ref(place, track), alike) for place, track, alike in rivals)
        return Join(*ends, kind, confidence, doubtful, *measures, decided, known, *more)

    def unpack(self, borders: int = 0) -> Stitched:
        """All of it; `borders` is not part of the bytes."""
        threads = [self._thread(*found) for at in range(len(self._firsts)) for found in self._object_block(at).values()]
        joins = tuple(join for thread in threads for join in thread.joins)
        return Stitched(joins, self.identities(self._keys), borders, self.next_identity, self.refused)


def _of_before(payload: bytes | memoryview) -> Stitched:
    """A stitch as it was written at first: one JSON object, its joins by the names of their fields."""
    content = _inflated(payload)
    return Stitched(
        tuple(_join_of_before(said) for said in content["joins"]),
        {(key, track): number for key, track, number in content["identities"]},
        0,
        content["next_identity"],
        tuple((_pair(a), _pair(b)) for a, b in content["refused"]),
    )


def _join_of_before(said: dict[str, Any]) -> Join:
    rivals = tuple((_pair(ref), similarity) for ref, similarity in said["rivals"])
    return Join(**said | {"left": _pair(said["left"]), "right": _pair(said["right"]), "rivals": rivals})


def _pair(said: Sequence[str]) -> Ref:
    key, track = said
    return key, track
