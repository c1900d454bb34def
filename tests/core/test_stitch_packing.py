from __future__ import annotations

import json
import zlib

from hypothesis import given
from hypothesis import strategies as st

from annotation.core.joins import Join, Ref, Stitched
from review.core import stitch_packing
from review.core.stitch_packing import PackedStitch, pack

measures = st.floats(0, 1)
ids = st.text(min_size=1, max_size=4)


@st.composite
def stitches(draw: st.DrawFn) -> tuple[Stitched, list[str]]:
    """Any stitch of up to eighty segments, more than lie in one block, and their order."""
    order = draw(st.lists(ids, unique=True, min_size=1, max_size=80))
    refs = draw(st.lists(st.tuples(st.sampled_from(order), ids), unique=True, max_size=40))
    identities = {ref: draw(st.integers(1, 6)) * draw(st.sampled_from([1, 1000])) for ref in refs}
    joins: list[Join] = []
    for _ in range(draw(st.integers(0, 8)) if refs else 0):
        left, right, rival = (draw(st.sampled_from(refs)) for _ in range(3))
        said = [draw(measures), draw(st.booleans()), draw(measures), draw(measures), draw(st.integers(0, 99))]
        kind = draw(st.sampled_from(["border", "gap"]))
        rivals = ((rival, draw(measures)),) if draw(st.booleans()) else ()
        joins.append(Join(left, right, kind, *said, draw(measures), draw(st.booleans()), rivals, draw(measures)))  # type: ignore[arg-type]
    refused = ((refs[0], ("gone", "t")),) if refs else ()
    return Stitched(tuple(joins), identities, 3, draw(st.integers(1, 2**40)), refused), order


def of_before(stitched: Stitched) -> bytes:
    """The bytes of the first format, which databases still hold."""
    content = {
        "joins": [j._asdict() for j in stitched.joins],
        "identities": [[*ref, number] for ref, number in stitched.identities.items()],
        "next_identity": stitched.next_identity,
        "refused": stitched.refused,
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode())


def by_object(stitched: Stitched) -> dict[int, list[Join]]:
    found: dict[int, list[Join]] = {}
    for join in stitched.joins:
        found.setdefault(stitched.identities[join.left], []).append(join)
    return found


@given(stitches())
def test_a_stitch_comes_back_whole_and_object_by_object(made: tuple[Stitched, list[str]]) -> None:
    stitched, order = made
    place = {key: i for i, key in enumerate(order)}
    members: dict[int, list[Ref]] = {}
    for ref, number in stitched.identities.items():
        members.setdefault(number, []).append(ref)
    joins = by_object(stitched)
    for payload in (pack(stitched, order), of_before(stitched)):
        found = PackedStitch(payload, order)
        whole = found.unpack(3)
        assert by_object(whole) == joins
        assert whole.identities == stitched.identities
        assert (whole.borders, whole.next_identity, whole.refused) == (3, stitched.next_identity, stitched.refused)
        for number, refs in members.items():
            thread = found.thread(number)
            assert thread is not None and list(thread.joins) == joins.get(number, [])
            assert list(thread.refs) == sorted(refs, key=lambda ref: (place[ref[0]], ref[1]))
        assert found.thread(0) is None and found.thread(7) is None and found.thread(10**6) is None
        for key in (*order, "no such segment"):
            assert found.identities([key]) == {ref: n for ref, n in stitched.identities.items() if ref[0] == key}


def test_what_is_asked_of_one_object_unpacks_its_block_alone() -> None:
    order = [f"s{i}" for i in range(3000)]
    identities = {(key, "t"): 1 + i // 10 for i, key in enumerate(order)}
    found = PackedStitch(pack(Stitched(identities=identities), order), order)
    unpacked: list[int] = []
    inflate = found._block
    found._block = lambda at: unpacked.append(at) or inflate(at)  # type: ignore[method-assign]
    for number in range(50, 60):
        thread = found.thread(number)
        assert thread is not None and thread.refs == tuple((f"s{i}", "t") for i in range(10 * number - 10, 10 * number))
    assert found.numbers("s700") == {"t": 71}
    assert len(unpacked) <= 3 < len(found._edges) / 10


def test_joins_of_before_their_nearest_frames_were_kept_are_read(monkeypatch) -> None:
    join = Join(("s", "1"), ("t", "2"), "border", 0.9, False, 0.8, 0.7, 5, 0.1, False, ((("t", "3"), 0.4),), 0.05)
    whole = Stitched((join,), {join.left: 1, join.right: 1}, 0, 2)
    said = stitch_packing._said
    monkeypatch.setattr(stitch_packing, "_said", lambda *given: said(*given)[:-1])
    before = pack(whole, ["s", "t"])
    assert PackedStitch(before, ["s", "t"]).unpack().joins == (join._replace(nearest=0.0),)
