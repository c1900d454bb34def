"""What an evaluation leaves on disk: the stitched consensus in MOT form, and as JSON with its confidence."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.stitching import Join
from annotation.core.tracks import Dense, to_json
from review.core.evaluating import Result, Whole

FILES = ("consensus.txt", "consensus.json")


def class_numbers(results: Iterable[Result]) -> dict[str, int]:
    """Classes of the labels of all cases, from 1, so that a class means one label in all their files."""
    return _numbered(label for result in results for label in result.whole.resolved.dense.labels)


def _numbered(labels: Iterable[str]) -> dict[str, int]:
    return {label: i + 1 for i, label in enumerate(sorted(set(labels)))}


def write_result(out: Path, result: Result, classes: Mapping[str, int] | None = None) -> Path:
    """Write `consensus.txt` and `consensus.json` into a folder of the case's name; returns the folder.

    OSError, with the file's name, where that fails; then both are as they were before.
    """
    folder = make_folder(out, result.name)
    text, data = mot_text(result.whole.resolved.dense, classes), json.dumps(result_json(result)) + "\n"
    _replace(dict(zip((folder / file for file in FILES), (text, data), strict=True)))
    return folder


def make_folder(out: Path, name: str) -> Path:
    """The folder of a case. OSError where the files could not be put there, which is better known before the work."""
    folder = out / name
    with _naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    for path in (folder / file for file in FILES):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return folder


def _replace(texts: Mapping[Path, str]) -> None:
    """Files as a whole: all are written beside their places before the first is put there."""
    drafts = {path: path.with_name(f".{path.name}-{os.getpid()}") for path in texts}
    try:
        for path, draft in drafts.items():
            with _naming(path):
                draft.write_text(texts[path], encoding="utf-8")
        for path, draft in drafts.items():
            with _naming(path):
                os.replace(draft, path)
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An error of a full disk names no file, and one of a draft names the draft."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def mot_text(dense: Dense, classes: Mapping[str, int] | None = None) -> str:
    """Lines `frame,id,x,y,w,h,conf,class,visibility`, frames from 1; without `classes` they number these labels."""
    classes = _numbered(dense.labels) if classes is None else classes
    lines = []
    for frame, row in np.argwhere(dense.present.T).tolist():
        x1, y1, x2, y2 = dense.boxes[row, frame].tolist()
        seen = int(not dense.occluded[row, frame])
        box = f"{x1:.4f},{y1:.4f},{x2 - x1:.4f},{y2 - y1:.4f}"
        lines.append(f"{frame + dense.start + 1},{dense.ids[row]},{box},1,{classes[dense.labels[row]]},{seen}\n")
    return "".join(lines)


def result_json(result: Result) -> dict[str, Any]:
    """Identities with their confidence and the segments' tracks that they are made of, and the joins between them."""
    whole = result.whole
    return {
        "name": result.name,
        "tracks": _identities(whole),
        "segments": [
            {
                "start": segment.start,
                "stop": segment.stop,
                "agreement": consensus.agreement,
                "confidence": consensus.confidence,
                "method": consensus.method,
                "version": consensus.version,
                "submissions": [
                    {
                        "id": f"{d.line:09d}",
                        "line": d.line,
                        "worker": d.worker,
                        "score": consensus.scores[f"{d.line:09d}"],
                    }
                    for d in used
                ],
                **to_json(segment.tracks),
            }
            for segment, consensus, used in zip(whole.segments, result.consensuses, result.used, strict=True)
        ],
        "joins": [_join_json(whole, join) for join in whole.stitched.joins],
    }


def _identities(whole: Whole) -> list[dict[str, Any]]:
    dense = whole.resolved.dense
    parts: dict[str, list[dict[str, Any]]] = {}
    for segment in whole.segments:
        for track in segment.tracks.tracks:
            identity = str(whole.stitched.identities[segment.key, track.id])
            span = {"start": segment.start, "stop": segment.stop, "track": track.id, "confidence": track.confidence}
            parts.setdefault(identity, []).append(span)
    labels = dict(zip(dense.ids, dense.labels, strict=True))
    return [
        {
            "id": identity,
            "label": labels.get(identity, ""),
            "confidence": float(np.mean([1.0 if p["confidence"] is None else p["confidence"] for p in some])),
            "parts": some,
        }
        for identity, some in sorted(parts.items(), key=lambda item: int(item[0]))
    ]


def doubtful_json(whole: Whole) -> list[dict[str, Any]]:
    """The doubtful joins as `joins` have them."""
    joins = (_join_json(whole, join) for join in whole.stitched.joins if join.doubtful)
    return [{key: join[key] for key in ("left", "right", "kind", "confidence")} for join in joins]


def _join_json(whole: Whole, join: Join) -> dict[str, Any]:
    spans = {s.key: {"start": s.start, "stop": s.stop} for s in whole.segments}
    ends = {side: {**spans[key], "track": track} for side, (key, track) in (("left", join.left), ("right", join.right))}
    return ends | {"kind": join.kind, "confidence": join.confidence, "doubtful": join.doubtful}
