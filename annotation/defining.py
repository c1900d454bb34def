"""Projects and their ontologies: made, changed by new versions, found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Model, OuterRef, QuerySet, Subquery

from annotation.access import Capability, require_role, visible_projects
from annotation.core import ontology as core
from annotation.core.problems import Invalid, Problems
from annotation.core.values import name_problem, text_problem
from annotation.errors import Conflict, Missing
from annotation.models import Ontology, Project, User

Versioned = TypeVar("Versioned", bound=Model)
NAME_LENGTH = 200
INSTRUCTIONS_LENGTH = 50_000


class InvalidProject(Invalid):
    """The project cannot be written like this."""


class OntologyChanged(Conflict):
    """Somebody else changed the labels at the same moment. Read them again and send your change anew."""

    code = "ontology-changed"


class NameNotUnique(Conflict):
    """Several projects have this name; use the id."""

    code = "name-not-unique"


def create_project(*, owner: User, name: str, instructions: str = "", labels: object) -> Project:
    """A project with the first version of its ontology; `labels` is the JSON of the public contract.

    Forbidden unless the owner's role runs projects; InvalidProject, InvalidLabels with pointers.
    """
    require_role(owner, Capability.RUN)
    _check(name, instructions)
    ontology = core.parse_labels(labels)
    project = Project.objects.create(owner=owner, name=name, instructions=instructions)
    Ontology.objects.create(project=project, version=1, labels=ontology.to_json())
    return project


def describe(*, project: Project, name: str | None = None, instructions: str | None = None) -> None:
    """Change a project's words; what is None stays."""
    changes = {k: v for k, v in {"name": name, "instructions": instructions}.items() if v is not None}
    _check(changes.get("name", project.name), changes.get("instructions", ""))
    if changes:
        Project.objects.filter(pk=project.pk).update(**changes)
        project.refresh_from_db(fields=list(changes))


def change_ontology(*, project: Project, labels: object) -> Ontology:
    """A new version of the ontology, used by batches launched from now on; the same labels make no new version."""
    ontology = core.parse_labels(labels)
    current = current_ontology(project)
    if current.labels == ontology.to_json():
        return current
    try:
        with transaction.atomic():
            return Ontology.objects.create(project=project, version=current.version + 1, labels=ontology.to_json())
    except IntegrityError:
        raise OntologyChanged from None


def current_ontology(project: Project) -> Ontology:
    """The newest version of a project's labels."""
    return Ontology.objects.filter(project=project).order_by("-version").first()


def current_ontologies(projects: Iterable[Project]) -> dict[str, Ontology]:
    """The newest version of the labels of each of some projects, by its id."""
    rows = newest_versions(Ontology.objects.filter(project__in=projects))
    return {row.project_id: row for row in rows}


def newest_versions(rows: QuerySet[Versioned]) -> QuerySet[Versioned]:
    """Of rows of which a project has one for each version, the newest of each project."""
    latest = rows.model._default_manager.filter(project=OuterRef("project")).order_by("-version")
    return rows.filter(version=Subquery(latest.values("version")[:1]))


def read_ontology(row: Ontology) -> core.Ontology:
    """The labels of a row as what `parse_tracks` and the formats take."""
    return core.parse_labels(row.labels)


def find_project(id_or_name: str, user: User | None = None) -> Project:
    """The project of an id or of a unique name, among those that a user may read. Missing, NameNotUnique."""
    projects: QuerySet[Project] = Project.objects.all() if user is None else visible_projects(user)
    by_id = projects.filter(pk=id_or_name).first()
    if by_id:
        return by_id
    named = list(projects.filter(name=id_or_name)[:2])
    if len(named) > 1:
        raise NameNotUnique
    if not named:
        raise Missing(f"There is no project {id_or_name!r}.")
    return named[0]


def _check(name: object, instructions: object) -> None:
    problems = Problems()
    with problems.raising(InvalidProject):
        if problem := name_problem(name, NAME_LENGTH):
            problems.add("/name", problem)
        if problem := text_problem(instructions, INSTRUCTIONS_LENGTH):
            problems.add("/instructions", problem)
