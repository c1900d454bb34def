"""The accepted segments of a video, joined into full-video tracks: stored, versioned, read in ranges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from annotation import recording
from annotation.core.stitching import Join as Found
from annotation.core.stitching import Pair, Ref, SegmentTracks, Stitched, stitch
from annotation.core.tracks import Tracks
from annotation.models import TrackSet, User, Video
from annotation.queue import want
from review.core.stitch_packing import PackedStitch, pack
from review.errors import AlreadyDecided
from review.lifecycle import ConsensusStatus
from review.models import Consensus, Join, Stitch

METHOD = "border-optimum 2"
Inputs = list[list[str]]  # [[segment id, track set id], …] in the order of the video


def accepted_inputs(video_id: str) -> Inputs:
    """What is decided of a video, and not cancelled, in order."""
    decided = Consensus.objects.filter(
        video_id=video_id,
        status=ConsensusStatus.ACCEPTED,
        batch__batch_videos__video_id=video_id,
        batch__batch_videos__live=True,
    )
    rows = decided.order_by("segment__start", "segment_id").values_list("segment_id", "track_set_id")
    return [[segment, str(track_set)] for segment, track_set in rows]


def stitch_video(*, video_id: str, inputs: Inputs | None = None, joins: Collection[str] | None = None) -> Stitch | None:
    """Stitch what is decided of a video, or just `inputs` under the verdicts of just `joins` (ids); the same content
    gives the existing stitch.

    None where nothing is decided. Only borders of segments that changed since the newest stitch are computed. The
    arithmetic runs outside of any transaction; it is done anew where another stitch of the video was stored meanwhile,
    for that one has given out numbers.
    """
    inputs = accepted_inputs(video_id) if inputs is None else inputs
    if not inputs:
        return None
    verdicts = _verdicts(video_id, joins)
    content = _digest(inputs, verdicts)
    while True:
        stitches = Stitch.objects.filter(video_id=video_id)
        if existing := stitches.filter(content_sha256=content).order_by("version").last():
            return existing
        previous = stitches.order_by("version").last()
        before = unpack(previous) if previous else None
        changed = _changed(inputs, previous, video_id, verdicts)
        stitched = stitch(load_segments(inputs), decided=verdicts, previous=before, changed=changed)
        with transaction.atomic():
            if not _is_newest(previous, video_id):
                continue
            return _write(video_id, inputs, content, stitched)


def _is_newest(previous: Stitch | None, video_id: str) -> bool:
    """Whether nobody stored a stitch since; the video's row is locked, so that nobody does until we have."""
    Video.objects.select_for_update(no_key=True).get(pk=video_id)
    newest = Stitch.objects.filter(video_id=video_id).aggregate(newest=Max("version"))["newest"]
    return newest == (previous.version if previous else None)


def _changed(inputs: Inputs, previous: Stitch | None, video_id: str, verdicts: Mapping[Pair, bool]) -> set[str]:
    """Segments whose tracks, or whose joins' verdicts, changed since the previous stitch."""
    if previous is None:
        return set()
    before = dict(map(tuple, previous.inputs))
    now = dict(map(tuple, inputs))
    changed = {key for key, value in now.items() if before.get(key) != value}
    decided = Join.objects.filter(video_id=video_id, same__isnull=False)
    for join in decided:
        # Given since, or not to be known here although the previous stitch may have known it.
        if join.decided_at >= previous.created_at or _ends(join) not in verdicts:
            changed |= {join.left_segment_id, join.right_segment_id}
    # Where a segment left, those beside it have a border now.
    order_before, order_now = list(before), list(now)
    neighbours = set(zip(order_before, order_before[1:], strict=False))
    for pair in zip(order_now, order_now[1:], strict=False):
        if pair not in neighbours and changed.isdisjoint(pair):
            changed.add(pair[0])
    return changed


def _ends(join: Join) -> Pair:
    return (join.left_segment_id, join.left_track), (join.right_segment_id, join.right_track)


def load_segments(inputs: Inputs) -> list[SegmentTracks]:
    """Inputs as the stitching takes them."""
    rows = TrackSet.objects.in_bulk([track_set for _, track_set in inputs])
    return [
        SegmentTracks(segment, rows[key].start, rows[key].stop, recording.load(rows[key])) for segment, key in inputs
    ]


def _verdicts(video_id: str, joins: Collection[str] | None = None) -> dict[Pair, bool]:
    """The verdicts on a video's joins, or just those on `joins`."""
    decided = Join.objects.filter(video_id=video_id, same__isnull=False).order_by("pk")
    return {_ends(j): bool(j.same) for j in decided if joins is None or j.pk in joins}


def _digest(inputs: Inputs, verdicts: dict[Pair, bool]) -> str:
    said = sorted([*left, *right, same] for (left, right), same in verdicts.items())
    text = json.dumps([METHOD, inputs, said], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _write(video_id: str, inputs: Inputs, content: str, stitched: Stitched) -> Stitch:
    newest = Stitch.objects.filter(video_id=video_id).aggregate(newest=Max("version"))["newest"] or 0
    return Stitch.objects.create(
        video_id=video_id,
        version=newest + 1,
        content_sha256=content,
        inputs=inputs,
        payload=pack(stitched, [segment for segment, _ in inputs]),
        track_count=len(set(stitched.identities.values())),
        borders_computed=stitched.borders,
    )


def adopt(*, video: Video, inputs: Inputs, parts: Sequence[Tracks], numbers: Mapping[str, int]) -> Stitch:
    """The stitch of segments' tracks (`parts`, as `inputs` in their order) whose identities are known.

    Tracks of one id are one object; it has its number, unless the video gave that to another object before.
    """
    Video.objects.select_for_update(no_key=True).get(pk=video.pk)
    previous = newest_stitch(video)
    begin = unpack(previous).next_identity if previous else 1
    if numbers and min(numbers.values()) < begin:
        numbers = {track: begin + i for i, track in enumerate(numbers)}
    last: dict[str, str] = {}
    joins: list[Found] = []
    identities: dict[Ref, int] = {}
    for (segment, _), part in zip(inputs, parts, strict=True):
        for track in part.tracks:
            identities[segment, track.id] = numbers[track.id]
            if track.id in last:
                # Of the lasting kind: what is known is never guessed at again.
                joins.append(Found((last[track.id], track.id), (segment, track.id), "border", 1.0, False))
            last[track.id] = segment
    stitched = Stitched(tuple(joins), identities, 0, max([begin - 1, *numbers.values()]) + 1)
    # The numbers were chosen under the video's lock.
    return _write(video.pk, inputs, _digest(inputs, _verdicts(video.pk)), stitched)


def packed(row: Stitch) -> PackedStitch:
    """A stitch that is read in pieces."""
    return PackedStitch(row.payload, [segment for segment, _ in row.inputs])


def unpack(row: Stitch) -> Stitched:
    """All of a stitch."""
    return packed(row).unpack(row.borders_computed)


@transaction.atomic
def ask(*, video_id: str) -> None:
    """Review items for what is doubtful in a video as it stands, whoever stitched it first; none where nothing is
    decided any more.

    Where it is not stitched yet, what was decided meanwhile has wanted another job, which asks. Safe to run twice.
    """
    # Locked, so that the later of two asks by what was decided last.
    Video.objects.select_for_update(no_key=True).get(pk=video_id)
    inputs = accepted_inputs(video_id)
    content = _digest(inputs, _verdicts(video_id))
    row = Stitch.objects.filter(video_id=video_id, content_sha256=content).order_by("version").last()
    if row is not None:
        _ask(video_id, unpack(row).joins)
    elif not inputs:
        _ask(video_id, ())


def _ask(video_id: str, joins: Iterable[Found]) -> None:
    """Review items for the joins that are doubtful now; those that are no longer so step back."""
    Join.objects.filter(video_id=video_id, same__isnull=True).update(doubtful=False)
    for join in joins:
        if join.doubtful and not join.decided:
            (left_segment, left_track), (right_segment, right_track) = join.left, join.right
            Join.objects.update_or_create(
                left_segment_id=left_segment,
                left_track=left_track,
                right_segment_id=right_segment,
                right_track=right_track,
                defaults={"doubtful": True, "confidence": join.confidence, "kind": join.kind},
                create_defaults={
                    "video_id": video_id,
                    "doubtful": True,
                    "confidence": join.confidence,
                    "kind": join.kind,
                },
            )


def decide_join(*, join: Join, same: bool, by: User) -> None:
    """A reviewer's verdict on a doubtful join; it binds every later stitch. AlreadyDecided where somebody was first."""
    undecided = Join.objects.filter(pk=join.pk, same__isnull=True)
    if not undecided.update(same=same, decided_by=by, decided_at=Now()):
        raise AlreadyDecided
    want("stitch_video", join.video_id)


def newest_stitch(video: Video) -> Stitch | None:
    return Stitch.objects.filter(video=video).order_by("version").last()


def segments_near(row: Stitch, start: int, stop: int) -> Sequence[SegmentTracks]:
    """The stitched segments that share frames with `[start, stop)`."""
    keys = [track_set for _, track_set in row.inputs]
    near = TrackSet.objects.filter(pk__in=keys, start__lt=stop, stop__gt=start).values_list("pk", flat=True)
    chosen = set(near)
    return load_segments([pair for pair in row.inputs if pair[1] in chosen])
