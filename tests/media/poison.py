"""Files that mean harm, or came to harm on their way."""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from annotation.media.opening import create_video


def write_disguised(folder: Path, victim: Path, address: str) -> dict[str, Path]:
    """Playlists and scripts under a video's name that point at another file or at an address."""
    texts = {
        "ffconcat.mp4": f"ffconcat version 1.0\nfile {victim}\n",
        "ffconcat_unsafe.mkv": f"ffconcat version 1.0\nfile '{victim}'\noption safe 0\n",
        "playlist.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{victim}\n#EXT-X-ENDLIST\n",
        "address.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
        "self.mp4": "ffconcat version 1.0\nfile self.mp4\n",
        "dash.mp4": f'<?xml version="1.0"?><MPD><Period><BaseURL>{address}</BaseURL></Period></MPD>',
        "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "subtitles.avi": "1\n00:00:00,000 --> 00:00:01,000\nnot a video\n",
        "text.webm": "This is a letter, not a video.\n" * 50,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


def write_other_kinds(folder: Path) -> dict[str, Path]:
    """An empty file, noise, pictures, sound alone, archives."""
    rng = random.Random(11)
    contents = {
        "empty.mp4": b"",
        "one_byte.mp4": b"\x00",
        "noise.mp4": rng.randbytes(50_000),
        "noise_in_mp4.mp4": struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + rng.randbytes(50_000),
        "noise_in_mkv.mkv": b"\x1a\x45\xdf\xa3" + rng.randbytes(50_000),
        "noise_in_avi.avi": b"RIFF" + rng.randbytes(4) + b"AVI " + rng.randbytes(50_000),
        "noise_in.ts": b"".join(b"\x47" + rng.randbytes(187) for _ in range(300)),
        "archive.mp4": b"PK\x03\x04" + rng.randbytes(1000),
        "ty.mp4": b"\xf5\x46\x7a\xbd" + rng.randbytes(50_000),
        "shorten.mp4": b"ajkg" + rng.randbytes(5000),
        "huge_atom.mp4": struct.pack(">I4s", 0x7FFFFFFF, b"moov") + rng.randbytes(5000),
        "nested.mp4": b"".join(struct.pack(">I4s", 0x00FFFFFF, b"moov") for _ in range(20_000)),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    Image.new("RGB", (64, 48), "red").save(folder / "picture.mp4", "PNG")
    write_sound(folder / "sound.mp4")
    return {name: folder / name for name in [*contents, "picture.mp4", "sound.mp4"]}


def write_sound(path: Path) -> None:
    from av.audio.frame import AudioFrame

    with create_video(path) as container:
        stream = container.add_stream("aac", rate=48000)
        for k in range(50):
            frame = AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), "s16", "stereo")
            frame.sample_rate, frame.pts = 48000, k * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_huge_pictures(path: Path, codec: str, side: int = 16000, frames: int = 3) -> None:
    """A few kilobytes that unfold to gigabytes."""
    with create_video(path) as container:
        stream = container.add_stream(codec, rate=25, options={"preset": "ultrafast", "x264-params": "rc-lookahead=0"})
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p" if codec != "mjpeg" else "yuvj420p"
        stream.codec_context.thread_count = 1
        grey = VideoFrame(side, side, stream.pix_fmt)
        for plane in grey.planes:
            plane.update(b"\x80" * plane.buffer_size)
        for k in range(frames):
            grey.pts, grey.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(grey))
        container.mux(stream.encode(None))


def write_many_tiny_frames(path: Path, frames: int) -> None:
    with create_video(path) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        picture = VideoFrame(48, 32, "yuv420p")
        for k in range(frames):
            picture.pts, picture.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def truncated(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def flipped(data: bytes, seed: int, first: int = 0) -> bytes:
    """Between 1 and 12 bits of the bytes from `first` on turned over."""
    rng, out = random.Random(seed), bytearray(data)
    for _ in range(rng.randint(1, 12)):
        out[rng.randrange(first, len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def wiped(data: bytes, seed: int, first: int = 0) -> bytes:
    """A run of bytes set to zero."""
    rng, out = random.Random(seed), bytearray(data)
    at, length = rng.randrange(first, len(out)), rng.randint(10, 600)
    out[at : at + length] = bytes(len(out[at : at + length]))
    return bytes(out)
