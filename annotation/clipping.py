"""Videos cut into segments, and the clip of each: the small file that shows a segment frame for frame."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse

from annotation.core import segments as core
from annotation.errors import Missing
from annotation.ingesting import require_ready
from annotation.media.sandboxed import sandboxed_encode_clip
from annotation.models import Clip, Cut, Segment, Video
from annotation.settling import read_frame_map
from annotation.storing import keep, local_path

DAY_S = 24 * 3600
#: How long an address of a clip is good at least: past any lease and its renewals.
GOOD_FOR_S = 7 * DAY_S
_SIGNER = {"salt": "annotation.clipping", "sep": "."}


def cut_video(*, video: Video, segment_frames: int, overlap_frames: int) -> Cut:
    """Cut a ready video by the policy's rule (see `core.segments.cut`) into a Cut with its Segments."""
    require_ready(video)
    cut = Cut.objects.create(video=video, segment_frames=segment_frames, overlap_frames=overlap_frames)
    _add_segments(cut, core.cut(video.frame_count, segment_frames, overlap_frames), index=0)
    return cut


def cut_piece(*, video: Video, start: int, stop: int) -> Segment:
    """One segment of a ready video that belongs to no policy's cut: a piece of gold to train with."""
    require_ready(video)
    cut = Cut.objects.create(video=video, segment_frames=stop - start, overlap_frames=0)
    return Segment.objects.create(cut=cut, video=video, index=0, start=start, stop=stop)


def share_clip(clip: Clip, segment: Segment) -> Clip:
    """The clip of the same frames of the same video as another segment's: one file, two rows."""
    names = ("file", "bytes", "sha256", "width", "height", "frame_times_s")
    return Clip.objects.create(segment=segment, **{name: getattr(clip, name) for name in names})


def recut(*, cut: Cut) -> bool:
    """Bring a cut in step with a video whose unsettled part turned out longer or shorter; True where it changed.

    Segments in the settled part stay as they are. The rest is cut anew by the same rule; nothing of it was given out.
    """
    video = Video.objects.get(pk=cut.video_id)
    existing = list(Segment.objects.filter(cut=cut).order_by("index"))
    if existing[-1].stop == video.frame_count:
        return False
    kept = [s for s in existing if s.stop <= video.settled_frames]
    Segment.objects.filter(cut=cut, index__gte=len(kept)).delete()
    begin = kept[-1].stop - cut.overlap_frames if kept else 0
    if kept and kept[-1].stop >= video.frame_count:
        return True
    ranges = core.cut(video.frame_count - begin, cut.segment_frames, cut.overlap_frames)
    _add_segments(cut, [(begin + a, begin + b) for a, b in ranges], index=len(kept))
    return True


def _add_segments(cut: Cut, ranges: list[tuple[int, int]], index: int) -> None:
    Segment.objects.bulk_create(
        Segment(cut=cut, video_id=cut.video_id, index=index + i, start=start, stop=stop)
        for i, (start, stop) in enumerate(ranges)
    )


def make_clip(segment_id: str, *, quality: str = "default") -> Clip:
    """The clip of a segment, encoded unless it is there, in "default", "high" or "best" quality.

    May die anywhere and run twice: file first, row last.
    Takes seconds: call it outside of transactions. Raises what `media` raises for a segment that cannot be shown.
    """
    made = Clip.objects.filter(pk=segment_id).first()
    if made is not None:
        return made
    segment = Segment.objects.select_related("video").get(pk=segment_id)
    frame_map = read_frame_map(segment.video)
    scratch = settings.FILE_UPLOAD_TEMP_DIR
    with tempfile.TemporaryDirectory(prefix="clip-", dir=scratch) as folder, local_path(segment.video.file) as path:
        out = Path(folder) / "clip.mp4"
        facts = sandboxed_encode_clip(path, frame_map, segment.start, segment.stop, out, quality=quality)
        stored = keep(out, "clips")
    try:
        with transaction.atomic():
            return Clip.objects.create(
                segment=segment,
                file=stored.name,
                bytes=stored.bytes,
                sha256=stored.sha256,
                width=facts.width,
                height=facts.height,
                frame_times_s=list(facts.frame_times_s),
            )
    except IntegrityError:
        return Clip.objects.get(pk=segment_id)


def clip_url(segment: Segment | str) -> str:
    """The address of a segment's clip, signed and good for over a week, the same all day long so that browsers keep it.

    It says nothing but which segment it is: not whose, and not what the segment is given out for.
    """
    segment_id = segment if isinstance(segment, str) else segment.pk
    until = math.ceil((time.time() + GOOD_FOR_S) / DAY_S)
    signed = signing.Signer(**_SIGNER).sign(f"{segment_id}-{until}")
    return reverse("clip", args=[signed])


def read_clip_url(signed: str) -> Clip:
    """The clip that a signed address names. Missing where it is not ours, too old, or the clip is not made."""
    try:
        segment_id, _, until = signing.Signer(**_SIGNER).unsign(signed).partition("-")
    except signing.BadSignature:
        raise Missing from None
    clip = Clip.objects.filter(pk=segment_id).first()
    if clip is None or time.time() > int(until) * DAY_S:
        raise Missing
    return clip
