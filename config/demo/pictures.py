"""A contact sheet: frames of a video with the released tracks drawn on them."""

from __future__ import annotations

import colorsys
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from annotation import picturing
from annotation.core.tracks import Dense
from annotation.models import Video

COLUMNS, ROWS, WIDTH, GAP = 3, 4, 480, 6
BACKGROUND = (24, 26, 30)


def contact_sheet(video: Video, tracks: Dense, path: Path) -> None:
    """Write a PNG with frames spread evenly over the video, each box in its track's colour with its number."""
    frames = np.linspace(0, (video.frame_count or 1) - 1, COLUMNS * ROWS).round().astype(int)
    pictures = [_frame(video, tracks, int(n)) for n in frames]
    high = pictures[0].height
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + GAP) + GAP, ROWS * (high + GAP) + GAP), BACKGROUND)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, COLUMNS)
        sheet.paste(picture, (GAP + column * (WIDTH + GAP), GAP + row * (high + GAP)))
    sheet.save(path)


def _frame(video: Video, tracks: Dense, n: int) -> Image.Image:
    data = picturing.video_picture(video, n, "jpeg", WIDTH).read()
    picture = Image.open(io.BytesIO(data)).convert("RGB").resize(_size(video))
    canvas = ImageDraw.Draw(picture)
    scale = WIDTH / (video.width or WIDTH)
    for row in np.flatnonzero(tracks.present[:, n - tracks.start]):
        box = (tracks.boxes[row, n - tracks.start] * scale).tolist()
        colour = colour_of(int(tracks.ids[row]))
        canvas.rectangle(box, outline=colour, width=2)
        canvas.text((box[0] + 3, box[1] + 1), tracks.ids[row], fill=colour)
    canvas.text((6, picture.height - 16), f"frame {n}", fill=(255, 255, 255))
    return picture


def _size(video: Video) -> tuple[int, int]:
    return WIDTH, round(WIDTH * (video.height or 1) / (video.width or 1))


def colour_of(number: int) -> tuple[int, int, int]:
    """Neighbouring numbers get colours far apart: steps of the golden angle around the wheel."""
    r, g, b = colorsys.hsv_to_rgb((number * 0.381966) % 1.0, 0.75, 1.0)
    return round(r * 255), round(g * 255), round(b * 255)
