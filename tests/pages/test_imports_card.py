"""Files with pre-labels and finished tracks on the page of a project."""

from __future__ import annotations

import re

import pytest

from annotation.importing import READABLE
from review import pages
from tests import cast
from tests.pages.test_pages import Markup, browser
from tests.review.test_imports import bare, send  # noqa: F401

pytestmark = pytest.mark.django_db


def page(project: str, name: str = "Alice", query: str = "") -> str:
    return browser(name).get(f"/projects/{project}/{query}").content.decode()


def test_what_was_brought_is_listed_and_finished_tracks_can_be_taken_back(bare: tuple) -> None:  # noqa: F811
    project, video = bare
    assert send(project, video, **{"as": "pre-labels"}).status_code == 201
    made = send(project, video, **{"as": "tracks"}).json()
    html = page(project.pk)
    assert re.findall(r"/imports/(\w+)/undo/", html) == [made["id"]]
    assert f"as pre-labels of {video.name}" in html and f"as tracks of {video.name}" in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    cast.client("Alice").post(f"/api/v1/imports/{made['id']}/undo/")
    html = page(project.pk)
    assert "/undo/" not in html and "taken back" in html


def test_only_who_runs_a_project_may_bring_files_and_others_see_what_was_brought(bare: tuple) -> None:  # noqa: F811
    project, video = bare
    made = send(project, video, **{"as": "tracks"}).json()["id"]
    shown = {name: page(project.pk, name) for name in ("Alice", "Mona", "Rita")}
    forms = {name: ("data-import=" in html, "/undo/" in html) for name, html in shown.items()}
    assert forms == {"Alice": (True, True), "Mona": (True, True), "Rita": (False, False)}
    assert all(f'data-imported="{made}"' in html for html in shown.values())
    form = shown["Alice"].split("data-import=")[1].split("</form>")[0]
    assert re.findall(r"<option>([\w-]+)</option>", form) == READABLE


def test_every_import_is_on_one_of_the_pages(bare: tuple, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(pages, "IMPORTS", 1)
    project, video = bare
    made = [send(project, video, **{"as": "pre-labels"}).json()["id"] for _ in range(2)]
    shown = [re.findall(r'data-imported="(\w+)"', page(project.pk, query=f"?imports={n}")) for n in (1, 2)]
    assert sorted(sum(shown, [])) == sorted(made)
