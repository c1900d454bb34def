"""The world that the table is about: one project in which everything that has an address exists once.

A new kind of thing? Make it in `build` and add its id to `ids` under the name of the path's parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now

from annotation import clipping, joining, receiving, tokens
from annotation.core.tracks import Tracks
from annotation.lifecycle import Role
from annotation.models import Clip, Delivery, Member, Project, Segment, User, Webhook
from crowd import disputing, exposing, paying, paying_out, prelabelling, publishing, sanctioning, seeding
from crowd.core.policies import Policy as Rules
from crowd.core.policies import parse_policy
from crowd.models import Assignment, Batch, LedgerEntry, Payout, Policy
from review import exporting, releasing
from review.models import Consensus, Import, Join
from tests import cast
from tests.crowd import stage
from tests.openapi import CheckedClient
from tests.review import rows
from tests.review import stage as reviewed
from tests.review.test_imports import send


@dataclass(frozen=True)
class Person:
    """Who stands in a column; `enter` brings about their relation, within the savepoint of one request."""

    name: str
    role: str
    enter: Callable[[Project], None] = lambda project: None


def _owned_by_olga(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(owner=User.objects.get(username="Olga"))


def _closed(project: Project) -> None:
    for row in [*Batch.objects.filter(project=project), *Policy.objects.filter(project=project)]:
        values = "policy" if isinstance(row, Batch) else "values"
        setattr(row, values, getattr(row, values) | {"open": False})
        row.save(update_fields=[values])


PEOPLE = {
    "admin": Person("Ada", Role.ADMIN),
    "manager own": Person("Olga", Role.MANAGER, _owned_by_olga),
    "manager invited": Person("Mona", Role.MANAGER),
    "manager stranger": Person("Max", Role.MANAGER),
    "client own": Person("Alice", Role.CLIENT),
    "client stranger": Person("Eve", Role.CLIENT),
    "reviewer invited": Person("Rita", Role.REVIEWER),
    "reviewer stranger": Person("Rex", Role.REVIEWER),
    "worker holder": Person("Wanda", Role.WORKER),
    "worker other": Person("Will", Role.WORKER),
    "worker invited": Person("Ingo", Role.WORKER, _closed),
    "worker stranger": Person("Xaver", Role.WORKER, _closed),
}

UNDER_WAY = {"segment_frames": 20, "overlap_frames": 2, "adaptive": False, "redundancy": 4, "max_redundancy": 4}


@dataclass
class World:
    project: Project
    ids: dict[str, str]
    clients: dict[str, CheckedClient]

    def client(self, column: str) -> CheckedClient:
        if column in PEOPLE:
            PEOPLE[column].enter(self.project)
        return self.clients[column]


def build() -> World:
    for person in PEOPLE.values():
        User.objects.create_user(person.name, role=person.role)
    project = cast.project()
    Member.objects.create(project=project, user=cast.user("Ingo"), role=Role.WORKER)
    ids = {"project_id": project.pk, "n": "3", "frame": "3", "version": "1", "free_video": cast.video(project).pk}
    ids |= (
        _prior_knowledge(project)
        | _judged(project)
        | _owed(project)
        | _held(project)
        | _done(project)
        | _people(project)
    )
    clients = {column: _client(person.name) for column, person in PEOPLE.items()} | {"anonymous": CheckedClient()}
    return World(project, {name: str(value) for name, value in ids.items()}, clients)


def _client(name: str) -> CheckedClient:
    made = CheckedClient()
    made.credentials(HTTP_AUTHORIZATION=f"Token {tokens.issue(user=cast.user(name))}")
    return made


def _prior_knowledge(project: Project) -> dict[str, Any]:
    video = cast.video(project)
    empty, by = Tracks(0, 60, ()), project.owner
    gold = seeding.post_gold(project=project, video=video, tracks=empty, by=by)
    retired = seeding.post_gold(project=project, video=video, tracks=empty, by=by)
    exposing.retire(gold=retired, by=by, reason="It was wrong.")
    pre_labels = prelabelling.post_pre_labels(project=project, video=video, tracks=empty, by=by)
    answer = send(project, video, **{"as": "pre-labels"})
    assert answer.status_code == 201, answer.content
    return {
        "video_id": video.pk,
        "gold_id": gold.pk,
        **_webhook(project),
        "retired_gold": retired.pk,
        "pre_labels_id": pre_labels.pk,
        "upload_id": receiving.begin(project=project, name="c.mp4", bytes=1 << 20, sha256="", by=by).pk,
        "import_id": Import.objects.get(project=project).pk,
    }


def _judged(project: Project) -> dict[str, Any]:
    """One segment that two drew differently: it waits for a reviewer."""
    batch = stage.launched(frames=20, project=project, max_redundancy=2)
    reviewed.by_all(batch, Una=stage.tracks, Ugo=lambda a, b: stage.tracks(a, b, shift=25.0))
    return {
        "consensus_id": Consensus.objects.get(batch=batch).pk,
        "submitted": Assignment.objects.filter(batch=batch, status="submitted").first().pk,
        "user": cast.user("Una").pk,
    }


def _owed(project: Project) -> dict[str, Any]:
    """Work of Wanda and Ugo that was rejected, Ugo's disputed; and bonuses, paid out, locked and free."""
    by, ugo = cast.user("Mona"), cast.user("Ugo")
    two = UNDER_WAY | {"redundancy": 2, "max_redundancy": 2}
    stage.launch(project, cast.video(project, 20), parse_policy(two, base=Rules()))
    seats = {}
    for name in ("Wanda", "Ugo"):
        worker = cast.client(name)
        claimed = stage.claim(worker, project)
        stage.submit(worker, claimed)
        seats[name] = Assignment.objects.get(pk=claimed["id"])
        paying.reject(seat=seats[name], by=by, reason="It is empty.")
    dispute = disputing.dispute(seat=seats["Ugo"], worker=ugo, reason="So is the street.")
    sent, locked = (_locked(project, ugo) for _ in range(2))
    paying_out.send(payout=sent, by=by)
    return {
        "rejected": seats["Wanda"].pk,
        "dispute_id": dispute.pk,
        "entry_id": _bonus(project, ugo).pk,
        "payout_id": paying_out.draft(project=project, by=by).pk,
        "locked_payout": locked.pk,
        "sent_payout": sent.pk,
        "reference": sent.lines.get().reference,
    }


def _bonus(project: Project, worker: User) -> LedgerEntry:
    how = {"amount_micros": 1_000_000, "currency": "EUR", "by": cast.user("Mona"), "reason": "Quick and right."}
    return paying.give_bonus(project=project, worker=worker, **how)


def _locked(project: Project, worker: User) -> Payout:
    """A payout of a bonus of its own."""
    _bonus(project, worker)
    payout = paying_out.draft(project=project, by=cast.user("Mona"))
    paying_out.lock(payout=payout, by=cast.user("Mona"))
    return payout


def _held(project: Project) -> dict[str, Any]:
    """A batch that is under way: Wanda and Will hold seats, Lara came too late."""
    rules = parse_policy(UNDER_WAY, base=Rules())
    paused = stage.launch(project, cast.video(project, 20), rules)
    publishing.pause(batch=paused)
    batch = stage.launch(project, cast.video(project), rules)
    late = stage.claim(cast.client("Lara"), project)
    stage.lapse(late)
    assert stage.submit(cast.client("Lara"), late).status_code == 410
    seat = stage.claim(cast.client("Wanda"), project)
    stage.claim(cast.client("Will"), project)
    segment = Assignment.objects.get(pk=seat["id"]).task.segment
    return {
        "batch_id": batch.pk,
        "paused_batch": paused.pk,
        "late": late["id"],
        "assignment_id": seat["id"],
        "seat_token": seat["token"],
        "frame": segment.start,
        "signed": clipping.clip_url(_filmed(segment)).rstrip("/").rpartition("/")[2],
    }


def _filmed(segment: Segment) -> Segment:
    Clip.objects.filter(segment=segment).delete()
    clipping.make_clip(segment.pk)
    return segment


def _done(project: Project) -> dict[str, Any]:
    """Segments that are accepted, released and exported, with a join that is doubtful."""
    one, two = rows.accepted(2, project=project)
    ends = {"left_segment": one.segment, "left_track": "a", "right_segment": two.segment, "right_track": "b"}
    join = Join.objects.create(video=one.video, doubtful=True, confidence=0.5, kind="border", **ends)
    release = releasing.release(project=project, by=project.owner)
    export = exporting.export(release=release, format="mot", video=None, by=project.owner)
    cast.work_off()
    export.refresh_from_db()
    assert export.status == "ready", export.reason
    return {
        "done_video": one.video.pk,
        "accepted_consensus": one.pk,
        "join_id": join.pk,
        "release_id": release.pk,
        "export_id": export.pk,
    }


def _people(project: Project) -> dict[str, Any]:
    by = cast.user("Mona")
    invite, secret = joining.invite(project=project, role=Role.WORKER, by=by)
    sanctioning.pause(project=project, worker=cast.user("Paul"), by=by, reason="For a while.")
    two = cast.user("Lara"), cast.user("Paul")
    pair, _ = sanctioning.tell_same(project=project, workers=two, by=by, reason="One bank account.")
    token, _ = joining.make_token(user=cast.user("Alice"), name="desk")
    return {
        "invite_id": invite.pk,
        "secret": secret,
        "user_id": cast.user("Ingo").pk,
        "paused_user": cast.user("Paul").pk,
        "pair_id": pair.pk,
        "nobody_yet": cast.user("Nele").pk,
        "token_id": token.pk,
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(inner, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, ids) for inner in value]
    return value.format_map(ids) if isinstance(value, str) else value


def _webhook(project: Project) -> dict[str, str]:
    """An address, and an event that was sent to it."""
    made = Webhook.objects.create(project=project, url="https://example.org/", events=[], secret="0123456789abcdef")
    sent = Delivery.objects.create(webhook=made, event="ping", body="{}", status="delivered", ended_at=Now())
    return {"webhook_id": made.pk, "delivery_id": sent.pk}
