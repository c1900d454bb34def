from __future__ import annotations

import pytest
from django.db import IntegrityError

from annotation import defining
from annotation.core.ontology import InvalidLabels
from annotation.errors import Forbidden, Missing
from annotation.models import Ontology, Project
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_project_begins_with_the_first_version_of_its_labels() -> None:
    project = cast.project()
    current = defining.current_ontology(project)
    assert current.version == 1
    assert defining.read_ontology(current).names == ("person", "car")
    assert current.labels[1] == {"name": "car", "shape": "box", "attributes": []}


def test_changed_labels_are_a_new_version_and_the_old_one_stays() -> None:
    project = cast.project()
    changed = defining.change_ontology(project=project, labels=[{"name": "bicycle"}])
    assert changed.version == 2 and defining.current_ontology(project) == changed
    assert [label["name"] for label in Ontology.objects.get(project=project, version=1).labels] == ["person", "car"]


def test_the_same_labels_make_no_new_version() -> None:
    project = cast.project()
    assert defining.change_ontology(project=project, labels=cast.LABELS).version == 1
    assert Ontology.objects.count() == 1


def test_of_two_changes_at_once_the_second_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    project = cast.project()
    stale = defining.current_ontology(project)
    defining.change_ontology(project=project, labels=[{"name": "bicycle"}])
    monkeypatch.setattr(defining, "current_ontology", lambda _: stale)
    with pytest.raises(defining.OntologyChanged):
        defining.change_ontology(project=project, labels=[{"name": "bus"}])
    monkeypatch.undo()
    assert defining.current_ontology(project).labels[0]["name"] == "bicycle"


def test_a_version_is_written_once() -> None:
    project = cast.project()
    with pytest.raises(IntegrityError):
        Ontology.objects.create(project=project, version=1, labels=[])


@pytest.mark.parametrize("name", [None, "", 5, "a\x00b", "x" * 201, " a", "a\nb", ["a"]])
def test_a_project_without_a_usable_name_is_refused(name: object) -> None:
    with pytest.raises(defining.InvalidProject) as refused:
        defining.create_project(owner=cast.user("Alice"), name=name, labels=[])
    assert [p.pointer for p in refused.value.errors] == ["/name"]
    assert not Project.objects.exists()


def test_bad_labels_are_refused_with_pointers_and_leave_nothing() -> None:
    with pytest.raises(InvalidLabels) as refused:
        defining.create_project(owner=cast.user("Alice"), name="A", labels=[{"name": "a"}, {"name": "a"}])
    assert refused.value.errors[0].pointer == "/labels/1/name" and not Project.objects.exists()


@pytest.mark.parametrize("who", ["Rita", "Wanda"])
def test_reviewers_and_workers_make_no_projects(who: str) -> None:
    with pytest.raises(Forbidden):
        defining.create_project(owner=cast.user(who), name="A", labels=[])


def test_words_change_and_what_is_left_out_stays() -> None:
    project = cast.project()
    defining.describe(project=project, instructions="Draw tightly.")
    project.refresh_from_db()
    assert (project.name, project.instructions) == ("Crossing", "Draw tightly.")
    defining.describe(project=project, name="Junction")
    project.refresh_from_db()
    assert (project.name, project.instructions) == ("Junction", "Draw tightly.")
    with pytest.raises(defining.InvalidProject):
        defining.describe(project=project, instructions="\x00")


def test_a_project_is_found_by_id_or_unique_name_among_those_one_may_read() -> None:
    project = cast.project()
    assert defining.find_project(project.pk) == defining.find_project("Crossing") == project
    assert defining.find_project("Crossing", cast.user("Rita")) == project
    for who in ("Eve", "Wanda"):
        with pytest.raises(Missing):
            defining.find_project(project.pk, cast.user(who))
    with pytest.raises(Missing):
        defining.find_project("Nothing")
    cast.project("Eve")
    with pytest.raises(defining.NameNotUnique):
        defining.find_project("Crossing")
    assert defining.find_project("Crossing", cast.user("Alice")) == project
