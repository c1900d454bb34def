"""What lists ask of the database does not grow with their rows, and they read nothing large that they do not show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from annotation import recording
from annotation.core.tracks import Interval, Tracks
from annotation.lifecycle import Source
from annotation.models import Project
from crowd import suspecting
from crowd.lifecycle import GoldMove
from crowd.models import Batch, Gold, GoldEvent, Payout, PayoutLine, PreLabels, Task
from crowd.seating import policy_of
from review import learning
from review.models import Export, Join, Release
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import earned
from tests.pages.test_pages import browser
from tests.review.rows import accepted

pytestmark = pytest.mark.django_db
API = "/api/v1"


def more(first: Batch, name: str) -> None:
    """One more of everything that is listed."""
    project = first.project
    video = cast.video(project, name=f"{name}.mp4")
    batch = stage.launch(project, video, policy_of(first))
    seat = earned(f"paid {name}", project=project)
    waiting = batch.tasks.filter(assignments__worker=None).order_by("pk").first()
    Task.objects.filter(pk=waiting.pk).update(status="opening", reason="The budget is used up.")
    below = stage.claim(cast.client(f"below {name}"), project)
    assert stage.submit(cast.client(f"below {name}"), below).status_code == 200
    Task.objects.filter(assignments=below["id"]).update(status="done", done_at=Now())
    late = stage.claim(cast.client(f"late {name}"), project)
    stage.lapse(late)
    assert stage.submit(cast.client(f"late {name}"), late).status_code == 410
    known = recording.store(tracks=Tracks(0, 20), video=video, source=Source.GOLD)
    gold = Gold.objects.create(project=project, video=video, start=0, stop=20, track_set=known)
    GoldEvent.objects.create(gold=gold, kind=GoldMove.RESTORED, by=cast.user("Mona"), reason="it is right")
    guessed = recording.store(tracks=Tracks(0, 60), video=video, source=Source.MODEL)
    PreLabels.objects.create(project=project, video=video, track_set=guessed)
    payout = Payout.objects.create(project=project)
    PayoutLine.objects.create(payout=payout, worker=seat.worker, currency="EUR", amount_micros=1)
    left, right = (row.segment for row in accepted(2, project=project))
    ends = {"left_segment": left, "right_segment": right, "left_track": f"{left.start}-0"}
    Join.objects.create(video=left.video, kind="border", confidence=0.5, right_track=f"{right.start}-0", **ends)
    number = Release.objects.count() + 1
    release = Release.objects.create(project=project, number=number, decided={"videos": {}}, decided_sha256=name)
    Export.objects.create(release=release, format="mot")
    cast.project(name=f"Beside {name}")


def lists(project: Project) -> list[tuple[str, str]]:
    own, api = f"/projects/{project.pk}", f"{API}/projects/{project.pk}"
    of_clients = [f"{own}/", "/projects/", f"{API}/projects/", f"{api}/gold/", f"{api}/batches/", f"{api}/releases/"]
    of_clients += [f"{api}/pre-labels/", f"{api}/imports/", f"{api}/exports/", f"{api}/videos/"]
    of_managers = [f"{own}/payouts/", f"{own}/submissions/", f"{own}/ledger/", f"{api}/balances/", f"{api}/payouts/"]
    more_of_managers = [f"{api}/submissions/", f"{api}/workers/", f"{own}/live/", f"{api}/gold/"]
    of_reviewers = ["/review/", "/review/joins/", f"{api}/joins/", f"{api}/consensus/"]
    who = {"Alice": of_clients, "Mona": of_managers + more_of_managers, "Rita": of_reviewers, "Wanda": ["/work/"]}
    return [(name, path) for name, paths in who.items() for path in paths]


def asked(name: str, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answer = browser(name).get(path)
    assert answer.status_code == 200
    return [query["sql"] for query in queries]


def test_lists_ask_as_much_for_four_rows_as_for_two() -> None:
    first = stage.launched(reward_micros=1, gold_share=0.05)
    for name in ("one", "two"):
        more(first, name)
    paths = lists(first.project)
    [asked(*path) for path in paths]  # what is kept from one request to the next
    few = {path: len(asked(*path)) for path in paths}
    for name in ("three", "four"):
        more(first, name)
    assert {path: len(asked(*path)) for path in paths} == few


#: What may be as large as a project, or as a drawing, which may be 28 MB.
LARGE = (
    '"review_release"."decided"',
    '"review_release"."content"',
    '"crowd_latebody"."body"',
    '"crowd_draft"."body"',
    '"annotation_trackset"."payload"',
)


def test_lists_read_what_was_drawn_only_to_show_joins_and_to_count_the_events_of_gold() -> None:
    first = stage.launched()
    more(first, "one")
    own, api = f"/projects/{first.project_id}/", f"{API}/projects/{first.project_id}"
    said = {path: " ".join(asked(*path)) for path in lists(first.project)}
    read = {path: [column for column in LARGE if column in sql] for path, sql in said.items()}
    gold = [("Alice", own), ("Alice", f"{api}/gold/"), ("Mona", f"{api}/gold/")]
    joins = [("Rita", "/review/joins/"), ("Rita", f"{api}/joins/")]
    drawn = dict.fromkeys(gold + joins, ['"annotation_trackset"."payload"'])
    assert {path: columns for path, columns in read.items() if columns} == drawn


def test_each_gold_of_a_list_is_told_with_its_own_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "AT_ONCE", 1)
    first = stage.launched()
    for name in ("one", "two"):
        more(first, name)
    marked = Tracks(0, 20, (), (Interval("person", 2, 5),))
    row = Gold.objects.order_by("pk")[0]
    Gold.objects.filter(pk=row.pk).update(track_set=recording.store(tracks=marked, video=row.video, source=Source.GOLD))
    told = browser("Alice").get(f"{API}/projects/{first.project_id}/gold/").json()["results"]
    assert {gold["id"]: gold["intervals"] for gold in told} == {
        gold.pk: int(gold.pk == row.pk) for gold in Gold.objects.all()
    }


def test_the_latest_tasks_are_found_without_reading_what_all_gold_holds() -> None:
    first = stage.launched(redundancy=2)
    more(first, "one")
    with CaptureQueriesContext(connection) as queries:
        learning.learn_skills(project_id=first.project_id)
        suspecting.flag_workers(project_id=first.project_id)
    said = [query["sql"] for query in queries if 'ORDER BY "crowd_task"."opened_at"' in query["sql"]]
    chosen = [sql for sql in said if " LIMIT " in sql.split("ORDER BY")[-1]]
    assert len(chosen) == 2 and not any("payload" in sql or "DISTINCT" in sql for sql in chosen)
