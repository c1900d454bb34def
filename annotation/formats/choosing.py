"""Which of the videos in an export is meant. Two may have one name; what tells them apart is in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.core.json_input import InvalidJson, load_json
from annotation.core.problems import shown
from annotation.formats.archives import MAX_BYTES, Archive, is_zip, refuse
from annotation.formats.content import Video, folder_names, plain_name

MANIFEST = "manifest.json"
MAX_CONTAINERS = 20_000_000
NAMED = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """The video that a file is read for, by what is known of it."""

    name: str
    id: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A video's part of a file: the name of its folder, and its place among the videos if a manifest says it."""

    folder: str
    place: int | None = None


def choose(data: bytes, wanted: Wanted) -> Part:
    """The part of an export that is the wanted video's: by its id, else its SHA-256, else its name.

    Without a manifest a part has the video's name. InvalidFile where the manifest lists several videos that fit alike,
    or several of which none fits.
    """
    videos = _videos(data)
    folders = folder_names(Video(v["name"], 0, 0, 0) for v in videos)
    if len(videos) == 1:
        return Part(folders[0], 0)
    fits = _fitting(videos, wanted)
    if len(fits) == 1:
        return Part(folders[fits[0]], fits[0])
    if not videos:
        return Part(plain_name(wanted.name))
    listed = ", ".join(_said(videos[i], folders[i]) for i in (fits or range(len(videos)))[:NAMED])
    why = "several videos fit" if fits else "it holds several videos, none of which is"
    raise refuse(f"{why} {shown(wanted.name)} (SHA-256 {wanted.sha256[:12] or 'unknown'}): {listed}")


def _fitting(videos: list[dict[str, Any]], wanted: Wanted) -> list[int]:
    """The places of those that fit best."""
    same = [i for i, v in enumerate(videos) if wanted.id and v.get("id") == wanted.id]
    filmed = [i for i, v in enumerate(videos) if wanted.sha256 and v.get("sha256") == wanted.sha256]
    named = [i for i, v in enumerate(videos) if plain_name(v["name"]) == plain_name(wanted.name)]
    both = [i for i in named if i in filmed]
    return next((found for found in (same, both, filmed, named) if found), [])


def _videos(data: bytes) -> list[dict[str, Any]]:
    """The videos that the manifest lists; none where there is no manifest of ours."""
    if not is_zip(data):
        return []
    archive = Archive(data)
    found = archive.find(MANIFEST)
    if len(found) != 1:
        return []
    try:
        document = load_json(archive.read(found[0]), MAX_BYTES, max_containers=MAX_CONTAINERS)
    except InvalidJson:
        return []
    videos = document.get("videos") if isinstance(document, dict) and "release" in document else None
    fine = isinstance(videos, list) and all(isinstance(v, dict) and isinstance(v.get("name"), str) for v in videos)
    return videos if fine and videos is not None else []


def _said(video: Mapping[str, Any], folder: str) -> str:
    return f"{shown(folder)} (id {shown(video.get('id'))}, SHA-256 {str(video.get('sha256'))[:12]})"
