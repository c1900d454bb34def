"""The command line: `trackweave upload|launch|watch|export|download|projects`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from trackweave_client import watching
from trackweave_client.client import Client
from trackweave_client.errors import TrackweaveError

INTERRUPTED = 130
out = Console()


def main(words: Sequence[str] | None = None) -> int:
    """Exit code: 0, 1 where it did not work, 130 where it was interrupted."""
    options = _parser().parse_args(words)
    try:
        with Client(options.url, options.token) as client:
            return options.run(client, options)
    except KeyboardInterrupt:
        _complain("interrupted; the same command goes on from here")
        return INTERRUPTED
    except (TrackweaveError, OSError) as error:
        _complain(str(error))
        return 1


def _complain(message: str) -> None:
    print(f"trackweave: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trackweave", description=__doc__)
    parser.add_argument("--url", help="the site's address; else TRACKWEAVE_URL, or the configuration file's")
    parser.add_argument("--token", help="better left to TRACKWEAVE_TOKEN or the file: others see commands")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    projects = commands.add_parser("projects", help="list the projects that you may see")
    projects.set_defaults(run=_projects)

    upload = commands.add_parser("upload", help="upload videos; interrupted, it goes on where it was")
    upload.add_argument("project", metavar="PROJECT", help="its id or name")
    upload.add_argument("files", nargs="+", type=Path, metavar="FILE")
    upload.add_argument("--wait", action="store_true", help="until the videos are indexed")
    upload.set_defaults(run=_upload)

    launch = commands.add_parser("launch", help="give a project's videos to the crowd")
    launch.add_argument("project", metavar="PROJECT")
    launch.add_argument("--video", action="append", metavar="ID", help="this one; else all that were not launched yet")
    launch.add_argument("--policy", type=_json_object, metavar="JSON", help="such as '{\"redundancy\": 3}'")
    launch.set_defaults(run=_launch)

    watch = commands.add_parser("watch", help="show a project's progress until it is done")
    watch.add_argument("project", metavar="PROJECT")
    watch.add_argument("--once", action="store_true", help="say how it stands and end")
    watch.add_argument("--every", type=float, default=2.0, metavar="SECONDS")
    watch.set_defaults(run=_watch)

    export = commands.add_parser("export", help="export what is accepted, and download it")
    export.add_argument("project", metavar="PROJECT")
    export.add_argument(
        "--format", required=True, help="mot, coco, cvat, voc, yolo, kitti, tfrecord, csv, json, parquet"
    )
    export.add_argument("--video", metavar="ID", help="of this video alone")
    export.add_argument("--out", type=Path, metavar="PATH")
    export.set_defaults(run=_export)

    download = commands.add_parser("download", help="download an export; interrupted, it goes on where it was")
    download.add_argument("export", metavar="EXPORT", help="its id")
    download.add_argument("--out", type=Path, metavar="PATH")
    download.set_defaults(run=_download)
    return parser


def _json_object(text: str) -> dict:
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()  # as it is sent
    except (ValueError, RecursionError) as error:  # no JSON, or 1e999, or half a surrogate
        raise argparse.ArgumentTypeError(f"is no JSON that can be sent: {error}") from None
    if not isinstance(said, dict):
        raise argparse.ArgumentTypeError("is no JSON object")
    return said


def _projects(client: Client, options: argparse.Namespace) -> int:
    for project in client.projects():
        print(f"{project['id']}  {project['name']}")
    return 0


def _upload(client: Client, options: argparse.Namespace) -> int:
    for path in options.files:
        with watching.bytes_bar(out, path.name) as told:
            video = client.upload(options.project, path, told=told)
        if options.wait:
            video = client.wait_for_video(video["id"])
        print(f"{video['id']}  {video['status']}  {video['name']}")
    return 0


def _launch(client: Client, options: argparse.Namespace) -> int:
    batch = client.launch(options.project, options.video, options.policy)
    print(f"{batch['id']}  {batch['status']}  {len(batch['videos'])} videos")
    return 0


def _watch(client: Client, options: argparse.Namespace) -> int:
    watching.watch(client, options.project, out, every_s=options.every, once=options.once)
    return 0


def _export(client: Client, options: argparse.Namespace) -> int:
    export = client.export(options.project, options.format, video=options.video)
    with watching.share_bar(out, f"export {export['id']}") as told:
        client.wait_for_export(export["id"], told)
    return _bring(client, export["id"], options.out)


def _download(client: Client, options: argparse.Namespace) -> int:
    return _bring(client, options.export, options.out)


def _bring(client: Client, export_id: str, path: Path | None) -> int:
    export = client.find_export(export_id)
    path = path or Path(f"{export_id}-{export['format']}.zip")
    with watching.bytes_bar(out, path.name) as told:
        client.download(export_id, path, told=told)
    print(f"{path}  sha256 {export['sha256']}")
    return 0
