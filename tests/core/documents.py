"""Documents of tracks for the tests of reading them."""

from __future__ import annotations

from typing import Any

from annotation.core.ontology import Ontology, parse_labels

LABELS = [
    {
        "name": "person",
        "attributes": [
            {"name": "sex", "kind": "select", "values": ["f", "m"], "default": "f"},
            {"name": "pose", "kind": "text", "mutable": True},
            {"name": "age", "kind": "number"},
            {"name": "running", "kind": "boolean", "mutable": True},
        ],
    },
    {"name": "car", "color": "#2080c0"},
]


def ontology() -> Ontology:
    return parse_labels(LABELS)


def keyframe(frame: int, points: Any = (10.0, 20.5, 60.0, 180.0), **more: Any) -> dict[str, Any]:
    return {"frame": frame, "points": list(points) if isinstance(points, tuple) else points, **more}


def document(*keyframes: dict[str, Any], **track: Any) -> dict[str, Any]:
    one = {"id": "7", "label": "person", "attributes": {"sex": "f"}, "keyframes": list(keyframes)} | track
    return {"tracks": [one]}
