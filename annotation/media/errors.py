"""What can go wrong with a video, in words for the person who brought it."""

from __future__ import annotations


class MediaError(Exception):
    """Something is wrong with a video."""


class Rejected(MediaError):
    """A file that cannot be used; the message says why and what to do about it."""


class FrameUndecodable(MediaError):
    """The frame is in the video, but it is damaged and cannot be decoded."""


class Killed(OSError):
    """The machine ended a child process in the middle, mostly for want of memory; that says nothing about the video."""


class LimitReached(MediaError):
    """A child process ran into its limit; `limit` names which: memory, time, output or crash."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit
