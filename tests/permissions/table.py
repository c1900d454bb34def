"""Who may do what: role × relation × endpoint × method → status. The tests of this folder are made from this table.

One line of ROWS per method of an endpoint: what is asked, by which of PATTERNS it answers, and with which status where
it is allowed. `{names}` in a path or a body stand for things of the world (`world.py`), under the names that the
OpenAPI schema gives to the path's parameters. To print the whole table: `python -m tests.permissions.table`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

#: Everybody who asks, as "role relation". `world.PEOPLE` says who they are.
COLUMNS = (
    "admin",
    "manager own",
    "manager invited",
    "manager stranger",
    "client own",
    "client stranger",
    "reviewer invited",
    "reviewer stranger",
    "worker holder",  # of the seat that the paths name
    "worker other",  # may work in the project, and holds another seat of it
    "worker invited",  # to a project that is not open to all
    "worker stranger",  # of a project that is not open to all
    "anonymous",
)

#: What each column gets, in their order. "ok" is the row's own status.
_PATTERNS = """
              admin  manager:       client:    reviewer:   worker:                  anonymous
                     own inv. str.  own str.   inv. str.   holder other inv. str.
    READ      ok     ok  ok   404   ok  404    ok   404    404    404   404  404    401
    RUN       ok     ok  ok   404   ok  404    403  404    404    404   404  404    401
    DECIDE    ok     ok  ok   404   403 404    ok   404    404    404   404  404    401
    PEOPLE    ok     ok  ok   404   403 404    403  404    404    404   404  404    401
    SEAT      404    404 404  404   404 404    404  404    ok     404   404  404    401
    CLAIM     403    403 403  404   403 404    403  404    200    200   ok   404    401
    CLIENT    404    404 404  404   ok  404    403  403    403    403   403  403    401
    MAKE      ok     ok  ok   ok    ok  ok     403  403    403    403   403  403    401
    JOIN      ok     409 ok   ok    409 ok     ok   ok     ok     ok    ok   ok     401
    SELF      ok     ok  ok   ok    ok  ok     ok   ok     ok     ok    ok   ok     401
    ALL       ok     ok  ok   ok    ok  ok     ok   ok     ok     ok    ok   ok     ok
"""
PATTERNS = {name: cells for name, *cells in map(str.split, _PATTERNS.strip().splitlines()[2:])}

#: Parameters that are numbers of frames.
NO_IDS = {"n", "frame", "version"}


@dataclass(frozen=True)
class Row:
    """One method of one endpoint. `at` names other things of the world for some of the path's parameters."""

    method: str
    path: str
    pattern: str
    status: int
    body: Any = None
    query: str = ""
    form: bool = False  # the body goes out as multipart/form-data
    headers: dict[str, str] = field(default_factory=dict)  # with a Content-Type, the body goes out as it is
    at: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """Those of the path that are ids of things."""
        return [name for name in re.findall(r"{(\w+)}", self.path) if name not in NO_IDS]

    def expected(self, column: str) -> int:
        cell = PATTERNS[self.pattern][COLUMNS.index(column)]
        return self.status if cell == "ok" else int(cell)


WHY = {"reason": "It is so."}
MANY = WHY | {"ids": ["{submitted}"]}
ALL_OF = WHY | {"batch": "{batch_id}"}
TOKEN = {"token": "{seat_token}"}
WORK = {"token": "{seat_token}", "tracks": []}
MOT = {"video": "{video_id}", "format": "mot", "file": "1,1,5,5,20,20,1,1,1"}
EXPORT = {"format": "csv", "release": "{release_id}", "video": "{done_video}", "labels": ["person"]}
HOOK = {"url": "https://example.org/hook", "events": ["export.ready"]}
STATEMENT = {"file": "reference,status,currency,amount\n{reference},paid,EUR,1.00\n"}
TUS = {"Tus-Resumable": "1.0.0"}
BEGUN = {"Upload-Length": "9", "Upload-Metadata": "filename YS5tcDQ="}
SENT = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}

ROWS = (
    # Projects and what is known beforehand.
    Row("GET", "/projects/", "SELF", 200),
    Row("POST", "/projects/", "MAKE", 201, {"name": "Another", "labels": [{"name": "person"}]}),
    Row("GET", "/projects/{project_id}/", "READ", 200),
    Row("PATCH", "/projects/{project_id}/", "RUN", 200, {"instructions": "Draw."}),
    Row("GET", "/projects/{project_id}/gold/", "READ", 200),
    Row("POST", "/projects/{project_id}/gold/", "RUN", 201, {"video": "{video_id}", "tracks": []}),
    Row("GET", "/gold/{gold_id}/", "READ", 200),
    Row("GET", "/gold/{gold_id}/tracks/", "READ", 200),
    Row("POST", "/gold/{gold_id}/retire/", "RUN", 200, WHY),
    Row("POST", "/gold/{gold_id}/restore/", "RUN", 200, WHY, at={"gold_id": "retired_gold"}),
    Row("GET", "/projects/{project_id}/pre-labels/", "READ", 200),
    Row("POST", "/projects/{project_id}/pre-labels/", "RUN", 201, {"video": "{video_id}", "tracks": []}),
    Row("GET", "/pre-labels/{pre_labels_id}/", "READ", 200),
    Row("GET", "/projects/{project_id}/imports/", "READ", 200),
    Row("POST", "/projects/{project_id}/imports/", "RUN", 201, MOT | {"as": "gold"}, form=True),
    Row("GET", "/imports/{import_id}/", "READ", 200),
    Row("POST", "/imports/{import_id}/undo/", "RUN", 409),
    # Videos.
    Row("GET", "/projects/{project_id}/videos/", "READ", 200),
    Row("POST", "/projects/{project_id}/videos/", "RUN", 201, {"name": "new", "file": "whatever"}, form=True),
    Row("GET", "/projects/{project_id}/uploads/", "RUN", 200),
    Row("POST", "/projects/{project_id}/uploads/", "RUN", 201, headers=TUS | BEGUN),
    Row("GET", "/uploads/{upload_id}/", "RUN", 200),
    Row("PATCH", "/uploads/{upload_id}/", "RUN", 204, "abc", headers=TUS | SENT),
    Row("DELETE", "/uploads/{upload_id}/", "RUN", 204, headers=TUS),
    Row("GET", "/videos/{video_id}/", "READ", 200),
    Row("GET", "/videos/{video_id}/frames/{n}/", "READ", 200, query="as=jpeg"),
    Row("GET", "/videos/{video_id}/frame-map/", "READ", 200),
    Row("GET", "/videos/{video_id}/tracks/", "READ", 200, at={"video_id": "done_video"}),
    Row("GET", "/clips/{signed}/", "ALL", 200),
    # Batches.
    Row("GET", "/projects/{project_id}/webhooks/", "RUN", 200),
    Row("POST", "/projects/{project_id}/webhooks/", "RUN", 201, HOOK),
    Row("GET", "/webhooks/{webhook_id}/", "RUN", 200),
    Row("PATCH", "/webhooks/{webhook_id}/", "RUN", 200, {"enabled": False}),
    Row("DELETE", "/webhooks/{webhook_id}/", "RUN", 204),
    Row("POST", "/webhooks/{webhook_id}/ping/", "RUN", 202),
    Row("GET", "/webhooks/{webhook_id}/deliveries/", "RUN", 200),
    Row("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay/", "RUN", 202),
    Row("POST", "/projects/{project_id}/launch/", "RUN", 201, {"videos": ["{free_video}"]}),
    Row("GET", "/projects/{project_id}/batches/", "READ", 200),
    Row("GET", "/batches/{batch_id}/", "READ", 200),
    Row("POST", "/batches/{batch_id}/budget/", "RUN", 200, body={"budget_micros": None}),
    Row("POST", "/batches/{batch_id}/pause/", "RUN", 200),
    Row("POST", "/batches/{batch_id}/resume/", "RUN", 200, at={"batch_id": "paused_batch"}),
    Row("POST", "/batches/{batch_id}/cancel/", "RUN", 200),
    # What comes of it.
    Row("GET", "/projects/{project_id}/progress/", "READ", 200),
    Row("GET", "/projects/{project_id}/consensus/", "READ", 200),
    Row("GET", "/consensus/{consensus_id}/", "READ", 200),
    Row("GET", "/consensus/{consensus_id}/builds/{version}/", "READ", 200),
    Row("POST", "/consensus/{consensus_id}/accept/", "DECIDE", 200, {}),
    Row("POST", "/consensus/{consensus_id}/reject/", "DECIDE", 200, WHY),
    Row("POST", "/consensus/{consensus_id}/amend/", "DECIDE", 200, {"tracks": []}),
    Row("POST", "/consensus/{consensus_id}/gold/", "DECIDE", 201, at={"consensus_id": "accepted_consensus"}),
    Row("GET", "/projects/{project_id}/joins/", "READ", 200),
    Row("GET", "/joins/{join_id}/", "READ", 200),
    Row("POST", "/joins/{join_id}/same/", "DECIDE", 200),
    Row("POST", "/joins/{join_id}/different/", "DECIDE", 200),
    Row("GET", "/projects/{project_id}/releases/", "READ", 200),
    Row("POST", "/projects/{project_id}/releases/", "RUN", 201),
    Row("GET", "/releases/{release_id}/", "READ", 200),
    Row("GET", "/releases/{release_id}/diff/", "READ", 200, query="with={release_id}"),
    Row("GET", "/releases/{release_id}/trace/", "READ", 200, query="video={done_video}&track=1&frame=3"),
    Row("GET", "/projects/{project_id}/exports/", "READ", 200),
    Row("POST", "/projects/{project_id}/exports/", "RUN", 202, EXPORT),
    Row("GET", "/exports/{export_id}/", "READ", 200),
    Row("GET", "/exports/{export_id}/download/", "READ", 200),
    # People of a project.
    Row("GET", "/projects/{project_id}/members/", "PEOPLE", 200),
    Row("POST", "/projects/{project_id}/members/", "PEOPLE", 201, {"user": "{nobody_yet}", "role": "reviewer"}),
    Row("GET", "/projects/{project_id}/members/{user_id}/", "PEOPLE", 200),
    Row("DELETE", "/projects/{project_id}/members/{user_id}/", "PEOPLE", 204),
    Row("GET", "/projects/{project_id}/invites/", "PEOPLE", 200),
    Row("POST", "/projects/{project_id}/invites/", "PEOPLE", 201, {"role": "worker"}),
    Row("GET", "/projects/{project_id}/invites/{invite_id}/", "PEOPLE", 200),
    Row("DELETE", "/projects/{project_id}/invites/{invite_id}/", "PEOPLE", 204),
    Row("POST", "/invites/{secret}/accept/", "JOIN", 200),
    Row("GET", "/projects/{project_id}/workers/", "PEOPLE", 200),
    Row("POST", "/projects/{project_id}/workers/{user}/pause/", "PEOPLE", 200, WHY),
    Row("POST", "/projects/{project_id}/workers/{user}/ban/", "PEOPLE", 200, WHY),
    Row("POST", "/projects/{project_id}/workers/{user}/restore/", "PEOPLE", 200, WHY, at={"user": "paused_user"}),
    Row("POST", "/projects/{project_id}/workers/{user}/qualify/", "PEOPLE", 200, WHY),
    Row("POST", "/projects/{project_id}/workers/{user}/retrain/", "PEOPLE", 200, WHY),
    Row("POST", "/projects/{project_id}/workers/{user}/same/", "PEOPLE", 201, WHY | {"user": "Paul"}),
    Row("GET", "/projects/{project_id}/same-persons/", "PEOPLE", 200),
    Row("GET", "/projects/{project_id}/same-persons/{pair_id}/", "PEOPLE", 200),
    Row("DELETE", "/projects/{project_id}/same-persons/{pair_id}/", "PEOPLE", 204),
    Row("GET", "/projects/{project_id}/qualification/", "PEOPLE", 200),
    Row("GET", "/projects/{project_id}/submissions/", "PEOPLE", 200),
    Row("POST", "/submissions/{assignment_id}/accept/", "PEOPLE", 200, WHY, at={"assignment_id": "submitted"}),
    Row("POST", "/submissions/{assignment_id}/reject/", "PEOPLE", 200, WHY, at={"assignment_id": "submitted"}),
    Row("POST", "/projects/{project_id}/submissions/accept/", "PEOPLE", 200, MANY),
    Row("POST", "/projects/{project_id}/submissions/reject/", "PEOPLE", 200, MANY),
    Row("POST", "/projects/{project_id}/workers/{user}/submissions/accept/", "PEOPLE", 200, ALL_OF),
    Row("POST", "/projects/{project_id}/workers/{user}/submissions/reject/", "PEOPLE", 200, ALL_OF),
    Row("POST", "/submissions/{assignment_id}/salvage/", "PEOPLE", 200, WHY, at={"assignment_id": "late"}),
    # Money.
    Row("GET", "/projects/{project_id}/balances/", "PEOPLE", 200),
    Row("GET", "/projects/{project_id}/ledger/", "PEOPLE", 200),
    Row("GET", "/ledger/{entry_id}/", "PEOPLE", 200),
    Row("POST", "/ledger/{entry_id}/reverse/", "PEOPLE", 201, WHY),
    Row("GET", "/projects/{project_id}/bonuses/", "PEOPLE", 200),
    Row("POST", "/projects/{project_id}/bonuses/", "PEOPLE", 201, WHY | {"user": "{user}", "amount_micros": 5}),
    Row("GET", "/projects/{project_id}/disputes/", "PEOPLE", 200),
    Row("GET", "/disputes/{dispute_id}/", "PEOPLE", 200),
    Row("POST", "/disputes/{dispute_id}/uphold/", "PEOPLE", 200, WHY),
    Row("POST", "/disputes/{dispute_id}/decline/", "PEOPLE", 200, WHY),
    Row("GET", "/projects/{project_id}/payouts/", "PEOPLE", 200),
    Row("POST", "/projects/{project_id}/payouts/", "PEOPLE", 201),
    Row("GET", "/payouts/{payout_id}/", "PEOPLE", 200),
    Row("GET", "/payouts/{payout_id}/lines/", "PEOPLE", 200),
    Row("POST", "/payouts/{payout_id}/lock/", "PEOPLE", 200),
    Row("POST", "/payouts/{payout_id}/cancel/", "PEOPLE", 200, WHY),
    Row("POST", "/payouts/{payout_id}/send/", "PEOPLE", 200, at={"payout_id": "locked_payout"}),
    Row("GET", "/payouts/{payout_id}/file/", "PEOPLE", 200, at={"payout_id": "sent_payout"}),
    Row(
        "POST", "/payouts/{payout_id}/statement/", "PEOPLE", 200, STATEMENT, form=True, at={"payout_id": "sent_payout"}
    ),
    # A worker's own.
    Row("POST", "/assignments/{assignment_id}/dispute/", "SEAT", 201, WHY, at={"assignment_id": "rejected"}),
    Row("GET", "/me/earnings/", "SELF", 200),
    Row("GET", "/me/disputes/", "SELF", 200),
    Row("POST", "/assignments/claim/", "CLAIM", 201, {"project": "{project_id}"}),
    Row("GET", "/assignments/", "SELF", 200),
    Row("GET", "/assignments/{assignment_id}/", "SEAT", 200),
    Row("GET", "/assignments/{assignment_id}/frames/{frame}/", "SEAT", 200, query="as=jpeg"),
    Row("PUT", "/assignments/{assignment_id}/draft/", "SEAT", 200, WORK),
    Row("POST", "/assignments/{assignment_id}/renew/", "SEAT", 200, TOKEN),
    Row("POST", "/assignments/{assignment_id}/submit/", "SEAT", 200, WORK),
    Row("POST", "/assignments/{assignment_id}/release/", "SEAT", 200, TOKEN),
    # Anybody's own.
    Row("GET", "/me/", "SELF", 200),
    Row("PATCH", "/me/", "SELF", 200, {"languages": ["en"]}),
    Row("GET", "/tokens/", "MAKE", 200),
    Row("POST", "/tokens/", "MAKE", 201, {"name": "laptop"}),
    Row("GET", "/tokens/{token_id}/", "CLIENT", 200),
    Row("DELETE", "/tokens/{token_id}/", "CLIENT", 204),
    Row("POST", "/register/", "ALL", 403, {"name": "Nora", "password": "wild geese fly"}),
)

BY_KEY = {row.key: row for row in ROWS}
PREFIX = "/api/v1"


def printed() -> str:
    lines = [f"{'':58}" + " ".join(f"{c:>17}" for c in COLUMNS)]
    lines += [f"{row.key:58}" + " ".join(f"{row.expected(c):>17}" for c in COLUMNS) for row in ROWS]
    return "\n".join(lines)


if __name__ == "__main__":
    print(printed())
