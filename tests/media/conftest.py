"""What the media tests share: each trap video written once, and frames read back as the numbers they carry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from annotation.media.barcodes import read_barcode
from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap
from annotation.media.picturing import pixels
from annotation.media.reading import FrameReader
from tests.media.traps import TRAPS


@pytest.fixture(scope="session")
def trap_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The file of a trap by its name in `TRAPS`."""
    folder = tmp_path_factory.mktemp("traps")
    written: dict[str, Path] = {}

    def write(name: str) -> Path:
        if name not in written:
            written[name] = TRAPS[name].write(folder)
        return written[name]

    return write


def numbers(reader: FrameReader, frames: list[int], frame_map: FrameMap) -> list[int | None]:
    """The barcodes of some frames, None for one that cannot be decoded."""
    found: list[int | None] = []
    for n in frames:
        try:
            found.append(read_barcode(pixels(reader.frame(n), frame_map)))
        except FrameUndecodable:
            found.append(None)
    return found
