"""Picture files: lossless where they should be, readable everywhere."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from annotation.media.picturing import FORMATS, encode

shapes = st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))


@given(arrays(np.uint8, shapes))
def test_a_png_holds_every_pixel(picture: np.ndarray) -> None:
    image = Image.open(BytesIO(encode(picture, "png")))
    image.verify()
    assert (np.asarray(Image.open(BytesIO(encode(picture, "png")))) == picture).all()


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_near_enough(format: str) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (48, 1)), np.tile(ramp[::-1], (48, 1)), np.full((48, 64), 90, np.uint8)], axis=2)
    image = Image.open(BytesIO(encode(picture, format)))
    assert image.format == format.upper()
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - picture).mean() < 4


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="png, jpeg, webp"):
        encode(np.zeros((4, 4, 3), np.uint8), "bmp")
