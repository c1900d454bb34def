from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.utils.encoders import JSONEncoder

from annotation import defining
from annotation.errors import Problem
from annotation.models import Project, Video
from review import explaining
from review.models import Release


class Command(BaseCommand):
    help = "Says where a box of a release came from: submissions, gold scores, joins, decisions. Prints JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="id or unique name")
        parser.add_argument("--video", required=True, help="id or unique name")
        parser.add_argument("--track", required=True, type=int)
        parser.add_argument("--frame", required=True, type=int)
        parser.add_argument("--release", type=int, metavar="NUMBER", help="the newest unless given")

    def handle(self, *args: Any, project: str, video: str, track: int, frame: int, **options: Any) -> None:
        try:
            found = defining.find_project(project)
            release = _release(found, options["release"])
            body = explaining.trace(release=release, video_id=_video(found, video).pk, number=track, frame=frame)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(json.dumps(body, indent=2, cls=JSONEncoder))


def _release(project: Project, number: int | None) -> Release:
    rows = Release.objects.filter(project=project, status="ready").order_by("number")
    release = rows.last() if number is None else rows.filter(number=number).first()
    if release is None:
        raise CommandError("there is no such release of this project that is ready")
    return release


def _video(project: Project, id_or_name: str) -> Video:
    rows = Video.objects.filter(project=project)
    found = list(rows.filter(pk=id_or_name) or rows.filter(name=id_or_name)[:2])
    if len(found) != 1:
        raise CommandError(f"there is {'no' if not found else 'more than one'} video {id_or_name!r} in this project")
    return found[0]
