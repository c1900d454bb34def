"""Which tracks are one object: components of the graph of joins, and the numbers that they keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from annotation.core.joins import Ref, SegmentTracks, Stitched


class Components:
    """Union-find that keeps tracks of one segment, and pairs decided to be different, apart."""

    def __init__(self, refs: Iterable[Ref], different: Collection[frozenset[Ref]] = ()) -> None:
        self.parent = {ref: ref for ref in refs}
        self.members = {ref: [ref] for ref in self.parent}
        self.keys = {ref: {ref[0]} for ref in self.parent}
        self.apart: dict[Ref, set[Ref]] = {}
        for a, b in (pair for pair in different if len(pair) == 2):
            self.apart.setdefault(a, set()).add(b)
            self.apart.setdefault(b, set()).add(a)

    def find(self, ref: Ref) -> Ref:
        parent = self.parent
        while (above := parent[ref]) is not ref:
            parent[ref] = parent[above]
            ref = above
        return ref

    def may_join(self, left: Ref, right: Ref) -> bool:
        return self._may_join(self.find(left), self.find(right))

    def _may_join(self, a: Ref, b: Ref) -> bool:
        if not self.keys[a].isdisjoint(self.keys[b]):
            return False
        if not self.apart:
            return True
        small, large = sorted((self.members[a], self.members[b]), key=len)
        return not any(self.apart.get(ref, set()).intersection(large) for ref in small)

    def join(self, left: Ref, right: Ref) -> bool:
        """Make two components one; False where that may not be."""
        a, b = self.find(left), self.find(right)
        if a == b:
            return True
        if not self._may_join(a, b):
            return False
        small, large = (a, b) if len(self.members[a]) <= len(self.members[b]) else (b, a)
        self.parent[small] = large
        self.members[large] += self.members.pop(small)
        self.keys[large] |= self.keys.pop(small)
        return True

    def groups(self) -> list[list[Ref]]:
        """The components, and their members, in the order of the refs given."""
        out: dict[Ref, list[Ref]] = {}
        for ref in self.parent:
            out.setdefault(self.find(ref), []).append(ref)
        return list(out.values())


def in_order(segments: Sequence[SegmentTracks]) -> dict[Ref, int]:
    """Every track's place: segment by segment, in each by first keyframe, then as given."""
    order: dict[Ref, int] = {}
    for segment in segments:
        key, tracks = segment.key, segment.tracks.tracks
        first = [t.frames.item(0) if len(t.frames) else -1 for t in tracks]
        for at in sorted(range(len(first)), key=first.__getitem__):
            order[key, tracks[at].id] = len(order)
    return order


def name(
    groups: Sequence[Sequence[Ref]], previous: Stitched | None, fresh: Collection[str]
) -> tuple[Mapping[Ref, int], int]:
    """A number for each component, and the first number never given out.

    A component keeps the number that most of its tracks had; tracks of segments in `fresh` count only where no other
    does, since their ids may mean something else by now. Of two components that claim a number, the one with more
    tracks of it has it, then the earlier. A number is never given to another object later.
    """
    old = previous.identities if previous else {}
    following = previous.next_identity if previous else 1
    claims = []
    for index, members in enumerate(groups):
        votes: dict[int, tuple[int, int]] = {}
        for ref in members:
            if ref in old:
                steady, unsteady = votes.get(old[ref], (0, 0))
                votes[old[ref]] = (steady + (ref[0] not in fresh), unsteady + (ref[0] in fresh))
        claims += [(-steady, -unsteady, index, number) for number, (steady, unsteady) in votes.items()]
    names: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, index, number in sorted(claims):
        if index not in names and number not in taken:
            names[index] = number
            taken.add(number)
    identities: dict[Ref, int] = {}
    for index, members in enumerate(groups):
        if index not in names:
            names[index] = following
            following += 1
        identities |= dict.fromkeys(members, names[index])
    return identities, following
