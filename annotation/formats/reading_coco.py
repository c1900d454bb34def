"""COCO instances JSON from anywhere: ours, other tools' with `track_id`, and plain ones, whose boxes stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from annotation.core.json_input import InvalidJson, load_json
from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.core.values import number_problem
from annotation.formats.archives import AT, MAX_BYTES, Archive, InvalidFile, is_zip, refuse
from annotation.formats.assembling import PLACES, Target, assemble
from annotation.formats.content import plain_name
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of

# What tools put among the attributes that is none of the project's.
NOT_ATTRIBUTES = {"occluded", "track_id", "keyframe", "rotation", "is_crowd", "id", "outside"}
MAX_CONTAINERS = 20_000_000


def read_coco(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a COCO instances JSON, or from a zip with one. `video` names one of several that it may hold.

    A box without `track_id` (of its own or among its attributes) is a track of one frame; regions that are marked
    `iscrowd` are no objects and are left out; masks are not read. A frame's number is the image's `frame_id`, else
    the last number in its file name, counted from 1 where the images are numbered from 1 without a gap.
    InvalidFile names annotations by their place in the list, from 0.
    """
    problems, target = Problems(), target or Target()
    with problems.raising(InvalidFile):
        found = _gather(_document(data), video, target.place, problems)
    return assemble(found.boxes(), target)


def _document(data: bytes) -> dict[str, Any]:
    if is_zip(data):
        archive = Archive(data)
        names = [n for n in archive.names if n.endswith(".json") and "instances" in n.rsplit("/", 1)[-1]]
        if len(names) != 1:
            raise refuse(f"the zip must hold one instances_….json; it holds {', '.join(names[:10]) or 'none'}")
        data = archive.read(names[0])
    try:
        document = load_json(data, MAX_BYTES, max_containers=MAX_CONTAINERS)
    except InvalidJson as error:
        raise refuse(error.errors[0].message) from None
    if not isinstance(document, dict):
        raise refuse("the JSON is no object with images, annotations and categories")
    return document


def _gather(document: dict[str, Any], video: str | None, place: int | None, problems: Problems) -> Gathered:
    labels = {c["id"]: c["name"] for c in _items(document, "categories", _is_named, problems)}
    images = _items(document, "images", _has_id, problems)
    frames = _frames(images, _video_id(document, video, place, problems), problems)
    found = Gathered("annotation")
    for i, item in enumerate(_items(document, "annotations", _is_annotation, problems)):
        problem = _annotation_problem(item, frames, labels)
        if problem:
            problems.add(AT, f"annotation {i}: {problem}")
        elif (frame := frames[item["image_id"]]) is not None and item.get("iscrowd") not in (1, True):
            _add(found, i, frame, labels[item["category_id"]], item)
    return found


def _add(found: Gathered, i: int, frame: int, label: str, item: dict[str, Any]) -> None:
    attributes = item.get("attributes") or {}
    track = item.get("track_id", attributes.get("track_id"))
    x, y, w, h = item["bbox"]
    box = (x, y, round(x + w, PLACES), round(y + h, PLACES))
    own = {name: value for name, value in attributes.items() if name not in NOT_ATTRIBUTES}
    found.add(i, frame, None if track is None else str(track), label, box, attributes.get("occluded") is True, own)


def _annotation_problem(item: dict[str, Any], frames: dict[Any, int | None], labels: dict[Any, str]) -> str | None:
    if item["image_id"] not in frames:
        return f"there is no image {shown(item['image_id'])}"
    if item["category_id"] not in labels:
        return f"there is no category {shown(item['category_id'])}"
    box, attributes = item.get("bbox"), item.get("attributes")
    if not isinstance(box, list) or len(box) != 4:
        return "bbox must be a list x, y, width, height"
    for number in box:
        if problem := number_problem(number):
            return f"a number of the bbox {problem}"
    if attributes is not None and not isinstance(attributes, dict):
        return f"attributes must be an object, not {shown(attributes)}"
    track = item.get("track_id", (attributes or {}).get("track_id"))
    if track is not None and not _is_id(track):
        return f"track_id must be a number or text, not {shown(track)}"
    return None


def _frames(images: list[dict[str, Any]], wanted: object, problems: Problems) -> dict[Any, int | None]:
    """The frame of each image by its id; None for images of other videos."""
    own = [image for image in images if wanted is None or image.get("video_id") == wanted]
    numbers = [_frame_number(image) for image in own]
    known = {n for n in numbers if n is not None}
    from_one = known == set(range(1, len(known) + 1)) and not any("frame_id" in image for image in own)
    frames: dict[Any, int | None] = {image["id"]: None for image in images}
    if len(frames) < len(images):
        problems.add(AT, "two images have one id")
    if len(set(numbers)) < len(numbers) and None not in numbers:
        twice = next(n for n, times in Counter(numbers).items() if times > 1)
        problems.add(AT, f"two images are frame {twice}; a file of several videos must say which image is whose")
    for image, number in zip(own, numbers, strict=True):
        if number is None:
            problems.add(AT, f"image {shown(image['id'])} has no frame_id and no number in its file name")
        else:
            frames[image["id"]] = number - from_one
    return frames


def _frame_number(image: dict[str, Any]) -> int | None:
    frame, name = image.get("frame_id"), image.get("file_name")
    if isinstance(frame, int) and not isinstance(frame, bool) and 0 <= frame < 2**31:
        return frame
    return frame_of(name.rsplit("/", 1)[-1].rsplit(".", 1)[0]) if isinstance(name, str) else None


def _video_id(document: dict[str, Any], video: str | None, place: int | None, problems: Problems) -> object:
    videos = _items(document, "videos", _is_named, problems) if "videos" in document else []
    if place is not None and place < len(videos):
        return videos[place]["id"]
    fits = [v["id"] for v in videos if video is None or video in (v["name"], plain_name(v["name"]))]
    if videos and not fits:
        problems.add(AT, f"there is no video {shown(video)} in it")
    if len(fits) > 1:
        ids = ", ".join(map(shown, fits[:10]))
        named = "" if video is None else f" named {shown(video)}"
        problems.add(AT, f"it holds several videos{named} (ids {ids}); say which is meant")
    return fits[0] if fits else None


def _items(
    document: dict[str, Any], key: str, fits: Callable[[dict[str, Any]], bool], problems: Problems
) -> list[dict[str, Any]]:
    found = document.get(key)
    if not isinstance(found, list):
        problems.add(AT, f"{key} must be a list, not {shown(found)}")
        return []
    wrong = [i for i, item in enumerate(found) if not (isinstance(item, dict) and fits(item))]
    for i in wrong:
        problems.add(AT, f"entry {i} of {key} is not complete")
    return [] if wrong else found


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _has_id(item: dict[str, Any]) -> bool:
    return _is_id(item.get("id"))


def _is_named(item: dict[str, Any]) -> bool:
    return _is_id(item.get("id")) and isinstance(item.get("name"), str)


def _is_annotation(item: dict[str, Any]) -> bool:
    return _is_id(item.get("image_id")) and _is_id(item.get("category_id"))
