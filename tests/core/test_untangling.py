"""Who is who after an event, where clusters and workers say different things."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Track, Tracks, make_track
from crowd.core.simulation import Worker, draw
from review.core import clustering, fitting, untangling
from review.core.clustering import cluster
from review.core.retiming import retime
from review.core.stacking import Stack, stack
from review.core.untangling import Change, changes_of, events_of, likeliest, untangle

NEVER = np.inf


def test_where_a_second_cluster_on_an_object_ends_nobody_has_to_take_its_place():
    # Two and four follow the first two objects; the third way in lay on the first of them, too, and ends.
    votes = np.array([[2.2, 0, 0], [0, 4.4, 1.1], [1.1, 1.1, 0]])
    motion = np.array([[8.0, 17.7, NEVER], [21.2, 7.4, 13.2], [7.8, 19.5, NEVER]])
    assert likeliest(votes, motion) == [(0, 0), (1, 1)]


def test_one_against_one_is_decided_by_the_courses():
    votes = np.full((2, 2), 1.1)
    assert likeliest(votes, np.array([[9.0, 2.0], [2.0, 9.0]])) == [(0, 1), (1, 0)]
    assert likeliest(votes, np.array([[2.0, 9.0], [9.0, 2.0]])) == [(0, 0), (1, 1)]


def test_stray_ends_of_two_drawings_do_not_part_an_object_that_the_others_follow():
    # Four follow one object. The third came over from something else, the fourth goes off to something else, so
    # clusters changed at frame 22 for those who erred nowhere.
    def walked(first: int, late: int = 0, early: int = 60) -> Track:
        at = range(first, 60)
        x = [2 * f + 5 * max(0, late - f) - 5 * max(0, f - early) for f in at]
        return make_track("", "car", list(at), [[left, 50.0, left + 40, 150.0] for left in x])

    drawn = [walked(0), walked(0), walked(12, late=24), walked(0, early=29)]
    block = stack([Tracks(0, 60, (track,)) for track in drawn], 0, 60)
    member = np.where(block.present, 0, -1)
    member[:2, 22:] = 1
    member[2, 12:] = 1
    member[3, 29:] = 2
    settled = untangle(block, member, np.ones(4))
    for row in (0, 1):
        assert len(set(settled[row].tolist())) == 1
    assert len({settled[0, 40], settled[1, 40], settled[2, 40]}) == 1


def seen(*ways: dict[int, tuple[float, float]]) -> Tracks:
    """What one worker drew: the top left corner of somebody at some keyframes, for each."""
    tracks = [
        make_track(str(k), "car", list(way), [[x, y, x + 60, y + 150] for x, y in way.values()])
        for k, way in enumerate(ways)
    ]
    return Tracks(0, 70, tuple(tracks))


ONE = {4: (670, 440), 10: (582, 422), 20: (443, 400), 30: (328, 384), 40: (258, 366), 50: (213, 377), 69: (165, 425)}
OTHER = {26: (355, 410), 30: (302, 395), 40: (202, 377), 50: (177, 365), 60: (195, 350), 69: (206, 345)}


def test_two_outvote_one_who_exchanges_somebody_with_whom_they_meet_as_soon_as_they_are_seen():
    # The third draws the other one from three frames before they come on, and exchanges the two at once.
    exchanged = [{**{f: at for f, at in ONE.items() if f < 26}, **{f: at for f, at in OTHER.items() if f > 26}}]
    exchanged.append({21: (378, 413), **{f: at for f, at in ONE.items() if f > 26}})
    block = stack([seen(ONE, OTHER), seen(ONE, {24: (378, 413)} | OTHER), seen(*exchanged)], 0, 70)
    member = cluster(block, np.ones(3))
    for row in np.flatnonzero(block.owners < 2):
        assert len(set(member[row, block.present[row]].tolist())) == 1


def test_whoever_drew_one_of_two_says_which_way_the_other_went():
    # Two stand side by side and change places by a hand's breadth: motion says a little that they were exchanged, as
    # one says who drew both; two say that they were not, who drew one each.
    early, late = {0: (0, 0), 29: (0, 0)}, {30: (4, 0), 69: (4, 0)}
    other, again = {0: (4, 0), 29: (4, 0)}, {30: (0, 0), 69: (0, 0)}
    block = stack([seen(early | late), seen(other | again), seen(early | again, other | late)], 0, 70)
    member = np.repeat(np.array([[0], [1], [0], [1]]), 70, axis=1)
    member[2:, 30:] = [[1], [0]]
    settled = untangle(block, member, np.ones(3))
    assert (settled == member).all()


def test_who_was_exchanged_later_in_a_long_event_changes_places_later():
    # Two meet at frame 20 and two others at 26; the third worker exchanges both pairs, and the clusters go with that.
    # A stray drawing that comes over from the ones to the others makes one event of it all.
    def walked(*parts: tuple[int, int, int]) -> Track:
        """From a frame on to the right or to the left, on the upper or the lower street."""
        ends = [*(at for at, _, _ in parts[1:]), 60]
        boxes = []
        for (at, way, street), end in zip(parts, ends, strict=True):
            middle = 20 if street == 0 else 26
            boxes += [[200 + 5 * way * (f - middle), 400.0 * street] for f in range(at, end)]
        return make_track("", "car", range(parts[0][0], 60), [[x, y, x + 40, y + 90] for x, y in boxes])

    straight = Tracks(0, 60, tuple(walked((0, way, street)) for street in (0, 1) for way in (1, -1)))
    swapped = [walked((0, way, k), ((20, 26)[k], -way, k)) for k in (0, 1) for way in (1, -1)]
    stray = Tracks(0, 60, (walked((10, 1, 0), (23, 1, 1)),))
    block = stack([straight, straight, Tracks(0, 60, tuple(swapped)), stray], 0, 60)
    member, wanted = np.where(block.present, 0, -1), np.where(block.present, 0, -1)
    for row, owner in enumerate(block.owners.tolist()):
        frames = np.flatnonzero(block.present[row])
        lower = (block.boxes[row, frames, 1] > 0).astype(int)
        right = block.boxes[row, frames[0], 0] < 200 if owner < 3 else True
        own = 2 * lower + (0 if right else 1)
        late = frames >= np.where(lower, 26, 20)
        turned = 2 * lower + (1 if right else 0)
        member[row, frames] = np.where(late & (owner < 2), turned, own)  # as the third worker's go on
        wanted[row, frames] = np.where(late & (owner == 2), turned, own)
    settled = untangle(block, member, np.ones(4))
    assert (settled == wanted)[block.owners < 3].all()


def test_events_are_what_looking_at_all_open_ones_for_each_change_gives():
    rng = np.random.default_rng(0)
    for _ in range(200):
        changes = changes_of(rng.integers(-1, rng.integers(1, 12), (6, 12)), 1)
        closed: list[list[Change]] = []
        for change in changes:
            met = [
                e
                for e in closed
                if change.frame - e[-1].frame <= 1
                and {change.before, change.after} & {k for c in e for k in (c.before, c.after)}
            ]
            closed = [e for e in closed if e not in met] + [[*(c for e in met for c in e), change]]
        assert events_of(changes, 1) == [sorted(e, key=lambda c: (c.frame, c.track)) for e in closed]


def test_after_an_event_only_those_whose_clusters_it_changed_are_looked_at_again(monkeypatch):
    looked = []
    changes = untangling.changes_of
    monkeypatch.setattr(
        untangling, "changes_of", lambda member, *more: looked.append(len(member)) or changes(member, *more)
    )
    # Two who exchanged their places beside forty whom nobody doubts.
    early, late = {0: (0, 0), 29: (140, 0)}, {30: (150, 0), 69: (300, 0)}
    other, again = {0: (300, 0), 29: (150, 0)}, {30: (140, 0), 69: (0, 0)}
    far = [{0: (1000 + 100 * k, 0)} for k in range(40)]
    block = stack([seen(early | late, other | again, *far), seen(early | late, other | again)], 0, 70)
    member = np.repeat(np.arange(len(block.tracks))[:, None], 70, axis=1)
    same = np.flatnonzero(block.owners == 1)
    member[same] = member[:2]
    member[same[:, None], np.arange(35, 70)] = member[:2][::-1, 35:]
    member[:2, 35:] = member[:2][::-1, 35:]
    untangle(block, member, np.ones(2))
    assert looked == [44, 4]


def pavement(seed: int) -> Stack:
    """Six who walk along one pavement, by three workers: every two meet, and most workers exchange most of them."""
    rng, frames, away = np.random.default_rng(seed), 80, {"missed": 0.0, "invented": 0.0}
    x = np.linspace(rng.uniform(0, 300, 6), rng.uniform(0, 300, 6), frames)
    y = np.broadcast_to(rng.uniform(40, 80, 6), x.shape)
    walks = np.stack([x, y, x + 40, y + 90], axis=2).swapaxes(0, 1)
    truth = Tracks(0, frames, tuple(make_track(str(k), "car", range(frames), walk) for k, walk in enumerate(walks)))
    drawn = [draw(truth, 0, frames, Worker(str(w), swaps=0.7, **away), rng, 400, 200) for w in range(3)]
    return stack(drawn, 0, frames)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_where_many_were_exchanged_nobody_has_two_boxes_in_one_cluster_on_a_frame(seed: int) -> None:
    block = pavement(seed)
    member = cluster(block, np.ones(3))
    for worker in range(3):
        own = np.sort(member[block.owners == worker], axis=0)
        assert not ((own[1:] == own[:-1]) & (own[1:] >= 0)).any()


def test_in_most_scenes_no_exchange_fits_another_frame_better() -> None:
    # One worker after the other: what a later one moves may leave an earlier one a frame to gain (7 of the first 20).
    blocks = [pavement(seed) for seed in range(20)]
    found = [cluster(block, np.ones(3)) for block in blocks]
    better = [retime(b, m, b.overlap.iou, np.ones(3)) for b, m in zip(blocks, found, strict=True)]
    assert sum((a != b).any() for a, b in zip(found, better, strict=True)) < 10


def test_of_a_crowd_that_stands_close_some_tracks_at_a_time_are_led_to_the_same_clusters(monkeypatch):
    block, asked = pavement(3), []
    at_once = cluster(block, np.ones(3))
    gains = fitting.gains
    monkeypatch.setattr(fitting, "AT_ONCE", 1)
    monkeypatch.setattr(clustering, "gains", lambda *args: asked.append(len(args[4])) or gains(*args))
    assert (cluster(block, np.ones(3)) == at_once).all()
    assert set(asked) == {1}
