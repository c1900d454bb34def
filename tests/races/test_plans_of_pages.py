"""How PostgreSQL walks through large tables for a page that somebody looks at."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from crowd.models import Policy as PolicyRow
from tests import cast
from tests.pages.test_pages import browser
from tests.races.test_plans import LARGE, explaining, indexes, many_seats, scanned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.timeout(600)]
BONUSES = """INSERT INTO crowd_ledgerentry
    (id, worker_id, project_id, kind, round, amount_micros, currency, reference, reason, created_at)
    SELECT 'entry' || n, %s, %s, 'bonus', 0, 1, 'EUR', '', 'well done', now() - n * interval '1 second'
    FROM generate_series(1, 20000) n"""


@pytest.mark.breaks_invariants
def test_a_worker_s_own_page_reads_no_large_table_whole_for_projects_without_work() -> None:
    batch = many_seats(20_000)
    for n in range(3):
        defined = cast.project(name=f"Idle {n}")
        PolicyRow.objects.create(project=defined, version=1, values=batch.policy)
    with explaining() as plans:
        html = browser("Wanda").get("/work/").content.decode()
    assert (html.count("there is work"), html.count("nothing just now")) == (1, 3)
    for sql, plan in plans:
        assert not scanned(plan) & LARGE, sql


def nodes(plan: dict[str, Any]) -> set[str]:
    return {plan["Node Type"]}.union(*(nodes(part) for part in plan.get("Plans", [])))


@pytest.mark.breaks_invariants  # bonuses of nobody's making
def test_a_page_of_a_ledger_reads_and_sorts_no_more_than_a_page() -> None:
    project, wanda = cast.project(), cast.user("Wanda")
    with connection.cursor() as cursor:
        cursor.execute(BONUSES, [wanda.pk, project.pk])
        cursor.execute("ANALYZE crowd_ledgerentry")
    with explaining() as plans:
        assert browser("Mona").get(f"/api/v1/projects/{project.pk}/ledger/").status_code == 200
        assert browser("Mona").get(f"/projects/{project.pk}/ledger/").status_code == 200
    pages = [plan for sql, plan in plans if sql.startswith('SELECT "crowd_ledgerentry"."id"')]
    assert len(pages) == 2
    for plan in pages:
        assert "ledger_of_a_project_by_time" in indexes(plan) and "Sort" not in nodes(plan)


def test_no_index_of_what_is_reviewed_is_for_how_an_id_begins() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexdef ~ '\\(([a-z_]+_)?id varchar_pattern_ops\\)'")
        found = [definition for (definition,) in cursor.fetchall()]
    assert not [definition for definition in found if ".review_" in definition]
