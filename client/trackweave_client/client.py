"""What one does with Trackweave, as methods: answers are the JSON of the REST API, as dicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

from trackweave_client import settings
from trackweave_client.downloading import Download
from trackweave_client.errors import ApiError, Failed
from trackweave_client.transport import ATTEMPTS, Transport
from trackweave_client.uploading import Told, Upload, untold

Row = dict[str, Any]


class Client:
    """A person's access to one site.

    >>> with Client() as client:                                    # doctest: +SKIP
    ...     video = client.upload("Crossing", "street.mp4")
    ...     client.wait_for_video(video["id"])
    ...     client.launch("Crossing")
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        state: Path | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """What is left out comes from the environment or the file (see `settings`). `state` is the folder where it is
        noted what is under way."""
        found = settings.read(url, token)
        self.url = found.url
        self.state = state or settings.state_folder()
        self.transport = Transport(found.url, found.token, attempts=attempts, sleep=sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def projects(self) -> Iterator[Row]:
        return self._listed("/api/v1/projects/")

    def project(self, name: str) -> Row:
        """A project by its id or its name. ApiError (404) where there is none, Failed where a name is not enough."""
        found = [row for row in self.projects() if name in (row["id"], row["name"])]
        if len(found) > 1:
            raise Failed(f"{len(found)} projects are called {name!r}; name one by its id")
        return found[0] if found else self.transport.get(f"/api/v1/projects/{quote(name, safe='')}/")

    def make_project(self, name: str, labels: Sequence[Mapping[str, Any]], **more: Any) -> Row:
        return self.transport.post("/api/v1/projects/", {"name": name, "labels": list(labels), **more})

    def upload(self, project: str, path: Path | str, *, name: str | None = None, told: Told = untold) -> Row:
        """A file as a new video. Called again after it was interrupted, in whatever way, it goes on where it was."""
        project_id = self.project(project)["id"]
        made = Upload(self.transport, project_id, Path(path), name=name, state=self.state).run(told)
        return self.video(made["video"])

    def video(self, video_id: str) -> Row:
        return self.transport.get(f"/api/v1/videos/{video_id}/")

    def wait_for_video(self, video_id: str, every_s: float = 1.0) -> Row:
        """The video once it is ready. Failed where it is rejected."""
        while (video := self.video(video_id))["status"] != "ready":
            if video["status"] == "rejected":
                raise Failed(f"{video['name']} was rejected: {video['reason']}")
            self.transport.sleep(every_s)
        return video

    def launch(self, project: str, videos: Sequence[str] | None = None, policy: Mapping[str, Any] | None = None) -> Row:
        """A batch of the videos, or where `videos` is None of those of the project that are in none yet."""
        body = ({} if videos is None else {"videos": list(videos)}) | ({"policy": dict(policy)} if policy else {})
        return self.transport.post(f"/api/v1/projects/{self.project(project)['id']}/launch/", body)

    def batch(self, batch_id: str) -> Row:
        return self.transport.get(f"/api/v1/batches/{batch_id}/")

    def batches(self, project: str) -> Iterator[Row]:
        return self._listed(f"/api/v1/projects/{self.project(project)['id']}/batches/")

    def progress(self, project: str) -> Row:
        return self.transport.get(f"/api/v1/projects/{self.project(project)['id']}/progress/")

    def export(self, project: str, format: str, **more: Any) -> Row:
        """Ask for an export of what is accepted at this moment; it is not ready yet."""
        body = {"format": format, **{name: value for name, value in more.items() if value is not None}}
        return self.transport.post(f"/api/v1/projects/{self.project(project)['id']}/exports/", body)

    def find_export(self, export_id: str) -> Row:
        return self.transport.get(f"/api/v1/exports/{export_id}/")

    def wait_for_export(
        self, export_id: str, told: Callable[[float], object] = lambda share: None, every_s: float = 0.5
    ) -> Row:
        """The export once it is ready. Failed where it could not be made. `told` hears of the share that is done."""
        while (export := self.find_export(export_id))["status"] != "ready":
            if export["status"] == "failed":
                raise Failed(f"the export failed: {export.get('reason') or 'the site says no more'}")
            told(float(export.get("progress") or 0.0))
            self.transport.sleep(every_s)
        told(1.0)
        return export

    def download(self, export_id: str, path: Path | str, *, told: Told = untold) -> Path:
        """A ready export as a file. Called again after it was interrupted it goes on where it was."""
        return Download(self.transport, self.find_export(export_id), Path(path)).run(told)

    def _listed(self, path: str) -> Iterator[Row]:
        params: dict[str, Any] = {}
        while True:
            page = self.transport.get(path, **params)
            yield from page["results"]
            if not page["next"]:
                return
            # Only the question is taken over: behind a proxy the site may call itself by another name.
            params = dict(parse_qsl(urlsplit(page["next"]).query))


__all__ = ["ApiError", "Client"]
