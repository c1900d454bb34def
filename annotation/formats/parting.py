"""The parts in which an export is written: what they hold, and where to go on after a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

from annotation.formats.content import PIECE_ROWS, Content, Rows, Video, VideoTracks, folder_names, pieces_of
from annotation.formats.zipping import ZipWriter

PICTURES = 50  # between two notes
EVERYTHING = 2**62

# Where a frame's picture lies in a format's layout: from the video's place, its folder, the video and the frame.
PicturePath = Callable[[int, str, Video, int], str]


def rows_in_parts(archive: ZipWriter, phase: str, video: VideoTracks, at_most: int = PIECE_ROWS) -> Iterator[Rows]:
    """The rows of a video from where the archive stands; `archive.passed` counts those before the ones given."""
    at = archive.begin(phase)
    if at is not None:
        yield from parts_from(archive, phase, video, at.get("frame", 0), at_most)


def parts_from(
    archive: ZipWriter,
    phase: str,
    video: VideoTracks,
    frame: int,
    at_most: int,
    *,
    more: Callable[[], dict[str, Any]] = dict,
    files: tuple[IO[bytes], ...] = (),
) -> Iterator[Rows]:
    """The same of a phase that was begun; `more` is noted beside the frame, `files` are those aside."""
    for part in video.parts(frame):
        for piece in pieces_of(part, at_most):
            yield piece
            archive.passed += len(piece)
        said = partial(_said, part.stop, more)
        archive.note(phase, said, part.stop / max(1, video.video.frame_count), *files)


def _said(frame: int, more: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return {"frame": frame, **more()}


def frame_picture(index: int, folder: str, video: Video, frame: int) -> str:
    """Where a frame's picture lies for formats that know of no pictures."""
    return f"{folder}/frames/{frame:06}.{video.picture}"


def add_media(archive: ZipWriter, content: Content, path: PicturePath | None, *, apart: bool = False) -> None:
    """Pictures of frames where the format has them (`path`; `apart` for each of several videos below its folder), and
    clips under `clips/<video>/<start>-<stop>.mp4`."""
    folders = folder_names(v.video for v in content.videos)
    for i, (folder, video) in enumerate(zip(folders, content.videos, strict=True)):
        if path is not None and video.pictures is not None:
            above = f"{folder}/" if apart and len(folders) > 1 else ""
            _add_pictures(archive, f"{i}:pictures", video, partial(_below, above, path, i, folder, video.video))
        _add_clips(archive, f"{i}:clips", folder, video)


def _below(above: str, path: PicturePath, index: int, folder: str, video: Video, frame: int) -> str:
    return above + path(index, folder, video, frame)


def _add_pictures(archive: ZipWriter, phase: str, video: VideoTracks, path: Callable[[int], str]) -> None:
    at = archive.begin(phase)
    if at is None or video.pictures is None:
        return
    frames = video.video.frames(at.get("frame", 0), video.video.frame_count)
    for done, frame in enumerate(frames, 1):
        picture = video.pictures(frame)
        if picture is not None:
            archive.add(path(frame), picture, packed=False)
        if not done % PICTURES or done == len(frames):
            archive.note(phase, partial(dict, frame=frame + 1), (frame + 1) / video.video.frame_count)


def _add_clips(archive: ZipWriter, phase: str, folder: str, video: VideoTracks) -> None:
    at = archive.begin(phase) if video.clips else None
    if at is None:
        return
    for done, clip in enumerate(video.clips[at.get("clips", 0) :], at.get("clips", 0) + 1):
        with clip.open() as file:
            archive.copy(clip_path(folder, clip.start, clip.stop), file)
        archive.note(phase, partial(dict, clips=done), done / len(video.clips))


def clip_path(folder: str, start: int, stop: int) -> str:
    """Where a clip lies in an export."""
    return f"clips/{folder}/{start:06}-{stop:06}.mp4"
