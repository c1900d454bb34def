"""Single frames as pictures, of videos and of clips: one pool of warm decoders per process, behind a cache of files."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from annotation.errors import Missing, Overloaded, Unusable
from annotation.ingesting import require_ready
from annotation.media.errors import Killed, LimitReached, MediaError
from annotation.media.frame_map import FrameMap, constant_frame_map
from annotation.media.pictures import PicturePool
from annotation.models import Clip, FrameMapRow, Segment, Video
from annotation.picture_cache import PictureCache
from annotation.serving import serve_bytes
from annotation.storing import local_path

CONTENT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
POOL_SIZE = 2
#: Maps of this many videos are kept unpacked.
MAPS = 8


class FrameNotShown(Unusable):
    """The frame is in the video, but it is damaged and cannot be decoded."""

    code = "frame-undecodable"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be had: its ETag is known before `read` makes it. A frame that is not settled may move."""

    etag: str
    content_type: str
    read: Callable[[], bytes]
    lasting: bool = True


def video_picture(video: Video, n: int, as_: str = "png", width: int | None = None) -> Picture:
    """Exactly frame n of a video, at its own size or, if that is smaller, `width` wide.

    Missing past the end; FrameNotShown, when read, for a damaged frame.
    """
    require_ready(video)
    if n >= (video.frame_count or 0):
        raise Missing(f"The video has {video.frame_count} frames; there is no frame {n}.")
    width = None if width is None or width >= (video.width or 0) else width
    key = f"{video.sha256}:{video.frame_map_sha256}"
    picture = _picture(video.file, key, lambda: _map_of(video.pk, video.frame_map_sha256), n, as_, width)
    return replace(picture, lasting=n < video.settled_frames)


def clip_picture(segment: Segment, n: int, as_: str = "png", width: int | None = None, *, viewer: str = "") -> Picture:
    """Frame n of the source video as the clip of its segment shows it. Missing outside of the segment.

    What was fetched, opened and made for one `viewer` is done anew for another: a quick answer would tell that others
    were there before.
    """
    clip = Clip.objects.filter(pk=segment.pk).first()
    if clip is None:
        raise Missing("The clip is not made yet.")
    if not segment.start <= n < segment.stop:
        raise Missing(f"The segment holds the frames {segment.start} to {segment.stop - 1}; {n} is not among them.")
    width = None if width is None or width >= clip.width else width
    return _picture(clip.file, clip.sha256, lambda: _clip_map(clip), n - segment.start, as_, width, viewer)


def answer(request: HttpRequest, picture: Picture) -> HttpResponseBase:
    """A picture as an answer with its ETag; it is made only for who does not have it yet."""
    how = {"etag": picture.etag, "content_type": picture.content_type, "lasting": picture.lasting}
    return serve_bytes(request, picture.read, **how)


def _picture(
    file: str, of: str, frame_map: Callable[[], FrameMap], n: int, as_: str, width: int | None, viewer: str = ""
) -> Picture:
    key = hashlib.sha256(f"{of}{viewer}:{n}:{width or ''}".encode()).hexdigest()[:40] + f".{as_}"

    def make() -> bytes:
        try:
            with local_path(file, viewer=viewer) as path:
                return pool().picture(path, frame_map(), n, format=as_, width=width, viewer=viewer)
        except LimitReached as error:
            # A frame that takes too much memory always will; one for which there was no time may be had later.
            raise (Overloaded if error.limit == "time" else FrameNotShown)(str(error)) from error
        except Killed as error:
            raise Overloaded(str(error)) from error
        except MediaError as error:
            raise FrameNotShown(str(error)) from error

    return Picture(key, CONTENT_TYPES[as_], lambda: cache().get(key, make))


def _clip_map(clip: Clip) -> FrameMap:
    times = clip.frame_times_s
    rate = 1 / Fraction(times[1]).limit_denominator(10**6) if len(times) > 1 else Fraction(25)
    return constant_frame_map(len(times), rate, clip.width, clip.height)


@lru_cache(maxsize=MAPS)
def _map_of(video_id: str, sha256: str) -> FrameMap:
    return FrameMap.unpack(bytes(FrameMapRow.objects.get(pk=video_id).payload))


_pools: dict[int, PicturePool] = {}
_lock = threading.Lock()


def pool() -> PicturePool:
    """This process's decoders, made when the first picture is wanted; a fork makes its own."""
    with _lock:
        if os.getpid() not in _pools:
            _pools.clear()
            _pools[os.getpid()] = PicturePool(POOL_SIZE)
        return _pools[os.getpid()]


@lru_cache(maxsize=1)
def cache() -> PictureCache:
    return PictureCache(settings.DATA_DIR / "cache" / "pictures")
