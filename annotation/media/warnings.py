"""What makes a video treacherous, each with a stable code and plain words for the person who brought it."""

from __future__ import annotations

from typing import NamedTuple

WORDS = {
    "variable_frame_rate": "The frames are not evenly spaced in time. Count frames, do not compute them from seconds.",
    "frames_before_zero": "{n} frames lie before time zero. They are numbered and labelled; some players hide them.",
    "start_offset": "The first frame is at {s:.3f} s, not at zero. Times differ from frame number ÷ frame rate.",
    "edit_list": "An edit list hides {n} frames of the file. Hidden frames have no number; other tools may count them.",
    "missing_times": "{n} frames carry no time, so their order and times were found by decoding the video.",
    "decode_times_only": "The container keeps decode times only, so the frames' order was found by decoding the video.",
    "non_monotonic_times": "Times repeat or jump backwards in the file, so the order was found by decoding the video.",
    "corrupt_packets": "{n} packets are damaged. Frames that cannot be decoded keep their number and are listed.",
    "undecodable_frames": "{n} frames cannot be decoded. They keep their number and are listed.",
    "hidden_packets": "{n} packets show no picture of their own. They are not numbered; other tools may count them.",
    "rotation": "The file asks players to turn the picture by {degrees}°. Frames and boxes here are in turned pixels.",
    "mirrored": "The file asks players to mirror the picture. Frames and boxes here are in mirrored pixels.",
    "interlaced": "The video is interlaced: moving edges look like combs. Each frame holds two moments.",
    "audio_starts_early": "The sound begins {s:.3f} s before the picture. Some players stretch the first frame.",
    "header_frame_count_wrong": "The file's header promises {promised} frames, but {n} are there.",
    "non_square_pixels": "Pixels are meant to be shown {ratio} times as wide as high. Boxes are in stored pixels.",
    "size_changes": "The picture size changes within the video. All frames are shown at the size of the first.",
    "gaps": "In {n} places the video stands still for more than a second: frames were lost or left out.",
    "same_file": "This project has the same file as {name}. Launched both, it is labelled, and paid for, twice.",
    "several_videos": "The file holds {n} video streams. Only one of them is used.",
}


class Warning(NamedTuple):
    """A code to rely on and a sentence to read."""

    code: str
    message: str


def warning(code: str, **values: object) -> Warning:
    return Warning(code, WORDS[code].format(**values))
