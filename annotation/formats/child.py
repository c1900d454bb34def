"""The child process in which large files are read: run as a script, in isolated mode, by `reading.read_file`.

Standard input says what to read and within which limits, the descriptor that is its argument is the file. The answer is
a line of JSON, with what is wrong or the range of frames, and the packed tracks behind it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # isolated mode leaves our root out
    parent = os.getppid()
    out = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    from annotation.media import confinement

    confinement.die_with_parent(parent)
    asked = json.loads(sys.stdin.buffer.read())
    confinement.cut_network()
    confinement.limit(asked["memory"], asked["cpu_s"], output_bytes=1 << 30)
    confinement.give_up_privileges()
    with os.fdopen(out, "wb") as answer, os.fdopen(int(sys.argv[1]), "rb") as file:
        file.seek(0)  # where it stands, it stands for all who have it open
        for piece in read(asked, file.read()):
            answer.write(piece)
    os._exit(0)  # some libraries' threads crash where Python ends in good order


def read(asked: dict, data: bytes) -> tuple[bytes, ...]:
    from annotation.core.packing import pack
    from annotation.core.problems import Invalid
    from annotation.formats.choosing import Wanted
    from annotation.formats.reading import read_as, target_of

    try:
        tracks = read_as(asked["format"], data, Wanted(**asked["wanted"]), target_of(asked))
    except Invalid as error:
        return (_line({"errors": [(problem.pointer, problem.message) for problem in error.errors]}),)
    return _line({"start": tracks.start, "stop": tracks.stop}), pack(tracks)


def _line(said: dict) -> bytes:
    return json.dumps(said).encode() + b"\n"


if __name__ == "__main__":
    main()
