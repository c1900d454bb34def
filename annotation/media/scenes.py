"""Rendered street scenes with their truth: textured walkers that cross, hide each other, leave and come back.

For the demo where no real video is at hand, and for tests that need a video and the tracks that are truly in it.
Walkers are drawn at whole pixels, so their boxes are exact; the frame rate is variable, as in videos from phones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from annotation.core.tracks import Track, Tracks, make_track
from annotation.media.opening import create_video

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Seen = tuple[list[int], bool]  # a walker's box on a frame, and whether it is hidden

#: A walker is in the picture from this share of its box on, and occluded when less than half of that can be seen.
IN_PICTURE, SEEN = 0.2, 0.5
_CRF = "20"
_POLE = 255


@dataclass(frozen=True)
class Pass:
    """One way through the picture during the frames `[start, stop)`: `reach` 1 crosses it, less turns back."""

    start: int
    stop: int
    from_left: bool
    reach: float
    lane: float
    sway: float
    phase: float

    def place(self, frame: int) -> tuple[float, float]:
        """Where the feet are at a frame, as shares of the picture's width and height."""
        u = (frame - self.start) / (self.stop - self.start)
        u += 0.04 * np.sin(2 * np.pi * u + self.phase)  # nobody walks at one speed
        along = u * 1.2 - 0.1 if self.reach == 1 else self.reach * np.sin(np.pi * u) * 1.1 - 0.1
        x = along if self.from_left else 1 - along
        return float(x), float(self.lane + self.sway * np.sin(2 * np.pi * u + self.phase))


@dataclass(frozen=True)
class Walker:
    """A body as a picture with its outline, and its ways."""

    picture: Image.Image
    passes: tuple[Pass, ...]

    def place(self, frame: int) -> tuple[float, float] | None:
        return next((p.place(frame) for p in self.passes if p.start <= frame < p.stop), None)


def render_scene(
    path: Path | str,
    frames: int = 480,
    seed: int = 7,
    *,
    size: tuple[int, int] = (640, 360),
    walkers: int = 8,
    label: str = "person",
    variable: bool = True,
    returning: bool = True,
) -> Tracks:
    """Write a scene as mp4 (H.264, with B-frames) and give its truth back: a keyframe on every frame of each walker.

    Whoever leaves the picture and comes back is the same object if `returning`, else a new one, as nobody comes back
    under the same number in the ground truth of MOT15 and MOT17-09. The same arguments make the same scene.
    """
    rng = np.random.default_rng(seed)
    cast = [_walker(rng, k, frames) for k in range(walkers)]
    street = _street(rng, size)
    times = _times(rng, frames, variable)
    seen: list[dict[int, Seen]] = [{} for _ in cast]
    with create_video(path) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": _CRF})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for frame in range(frames):
            picture = VideoFrame.from_ndarray(_draw(street, cast, frame, seen), "rgb24")
            picture.pts, picture.time_base = times[frame], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    objects = seen if returning else [stay for boxes in seen for stay in _stays(boxes)]
    tracks = (_track(str(k + 1), label, boxes, frames) for k, boxes in enumerate(objects) if boxes)
    return Tracks(0, frames, tuple(tracks))


def _stays(seen: Mapping[int, Seen]) -> list[dict[int, Seen]]:
    """What was seen of a walker from each time it came into the picture until it left."""
    stays: list[dict[int, Seen]] = []
    for frame, what in seen.items():
        if frame - 1 not in seen:
            stays.append({})
        stays[-1][frame] = what
    return stays


def _times(rng: np.random.Generator, frames: int, variable: bool) -> list[int]:
    steps = rng.choice([33, 40, 41, 50, 67], frames) if variable else np.full(frames, 40)
    return [0, *np.cumsum(steps[:-1]).tolist()]


def _track(id: str, label: str, seen: Mapping[int, Seen], stop: int) -> Track:
    """Keyframes where the walker is in the picture, and an `outside` one wherever it leaves."""
    frames, points, outside, occluded = [], [], [], []
    for frame, (box, hidden) in seen.items():
        frames.append(frame)
        points.append([float(v) for v in box])
        outside.append(False)
        occluded.append(hidden)
        if frame + 1 not in seen and frame + 1 < stop:
            frames.append(frame + 1)
            points.append([np.nan] * 4)
            outside.append(True)
            occluded.append(False)
    return make_track(id, label, frames, points, outside=outside, occluded=occluded)


def _walker(rng: np.random.Generator, k: int, frames: int) -> Walker:
    passes: list[Pass] = []
    at = -int(rng.integers(20, 90)) if k % 2 else int(rng.integers(0, max(1, frames // 3)))
    while at < frames:
        length = int(rng.integers(110, 230))
        reach = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.3, 0.7))
        lane, sway = float(rng.uniform(0.55, 0.97)), float(rng.uniform(0, 0.04))
        passes.append(Pass(at, at + length, bool(rng.random() < 0.5), reach, lane, sway, float(rng.uniform(0, 6))))
        at += length + int(rng.integers(15, 70))
    return Walker(_body(rng, k), tuple(passes))


def _body(rng: np.random.Generator, k: int, width: int = 64, height: int = 160) -> Image.Image:
    """Head, striped coat and legs with some noise, transparent around; every walker's colours are its own."""
    body = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(body)
    hue = (k * 0.38 + rng.uniform(0, 0.1)) % 1
    coat, stripe, legs = (_colour(hue, v) for v in (0.85, 0.45, 0.3))
    pen.rectangle((width * 0.22, height * 0.55, width * 0.46, height), fill=legs)
    pen.rectangle((width * 0.54, height * 0.55, width * 0.78, height), fill=legs)
    pen.rounded_rectangle((0, height * 0.2, width - 1, height * 0.62), width // 4, fill=coat)
    for y in range(int(height * 0.26), int(height * 0.58), 9 + k % 5):
        pen.line((4, y, width - 5, y), fill=stripe, width=3)
    pen.ellipse((width * 0.25, 0, width * 0.75, height * 0.2), fill=_colour(0.08, 0.6 + 0.05 * (k % 6)))
    data = np.asarray(body).astype(np.int16)
    data[..., :3] += rng.integers(-18, 19, (height, width, 1), dtype=np.int16)
    return Image.fromarray(np.clip(data, 0, 255).astype(np.uint8), "RGBA")


def _colour(hue: float, value: float) -> tuple[int, int, int, int]:
    channels = [np.clip(abs((hue * 6 + shift) % 6 - 3) - 1, 0, 1) for shift in (0, 4, 2)]
    red, green, blue = (int(255 * value * (0.3 + 0.7 * c)) for c in channels)
    return red, green, blue, 255


@dataclass(frozen=True)
class _Street:
    """What stands still: the background, and a pole and a hedge that hide walkers."""

    ground: Pixels
    front: Mask


def _street(rng: np.random.Generator, size: tuple[int, int]) -> _Street:
    width, height = size
    noise = Image.fromarray(rng.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8))
    noise = noise.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
    rows = np.linspace(0, 1, height)[:, None, None]
    tone = np.where(rows < 0.4, [150, 165, 185], [125, 120, 112]) * (0.8 + 0.3 * rows)
    ground = np.clip(tone + (np.asarray(noise).astype(float) - 128) * 0.25, 0, 255)
    front = np.zeros((height, width), bool)
    front[:, int(width * 0.36) : int(width * 0.36) + max(4, width // 28)] = True
    front[int(height * 0.8) :, int(width * 0.68) : int(width * 0.86)] = True
    ground[front] = ground[front] * 0.35 + np.array([20, 45, 25])
    return _Street(ground.astype(np.uint8), front)


def _draw(street: _Street, cast: list[Walker], frame: int, seen: list[dict[int, Seen]]) -> Pixels:
    """One picture, and into `seen` each walker's box and whether it is hidden."""
    picture = street.ground.copy()
    owner = np.zeros(picture.shape[:2], np.uint8)
    drawn: dict[int, tuple[list[int], int]] = {}
    for k, box in _back_to_front(cast, frame, picture.shape[1], picture.shape[0]):
        clipped, area = _paste(picture, owner, cast[k].picture, box, k + 1)
        if clipped is not None:
            drawn[k] = clipped, area
    picture[street.front], owner[street.front] = street.ground[street.front], _POLE
    for k, (clipped, area) in drawn.items():
        visible = int((owner == k + 1).sum())
        seen[k][frame] = clipped, visible < SEEN * area
    return picture


def _back_to_front(cast: list[Walker], frame: int, width: int, height: int) -> Iterator[tuple[int, list[int]]]:
    """Walkers in the picture with their whole boxes; who stands lower is nearer, larger and in front."""
    placed = [(place[1], k, place[0]) for k, walker in enumerate(cast) if (place := walker.place(frame))]
    for feet, k, x in sorted(placed):
        high = round(height * (0.12 + 0.3 * feet))
        wide = round(high * 0.4)
        left, bottom = round(x * width - wide / 2), round(feet * height)
        yield k, [left, bottom - high, left + wide, bottom]


def _paste(
    picture: Pixels, owner: NDArray[np.uint8], body: Image.Image, box: list[int], who: int
) -> tuple[list[int] | None, int]:
    """Draw a walker; its box inside the picture and how many pixels it has there, or None where it is outside."""
    height, width = owner.shape
    left, top, right, bottom = box
    inside = [max(0, left), max(0, top), min(width, right), min(height, bottom)]
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None, 0
    data = np.asarray(body.resize((right - left, bottom - top), Image.Resampling.BILINEAR))
    data = data[inside[1] - top : inside[3] - top, inside[0] - left : inside[2] - left]
    mask = data[..., 3] > 127
    place = np.s_[inside[1] : inside[3], inside[0] : inside[2]]
    picture[place][mask] = data[..., :3][mask]
    owner[place][mask] = who
    share = (inside[2] - inside[0]) * (inside[3] - inside[1]) / ((right - left) * (bottom - top))
    return (inside if share >= IN_PICTURE else None), int(mask.sum())
