"""What a project wants labelled: its labels, their shapes and attributes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from annotation.core.problems import Invalid, Problems, shown, step
from annotation.core.values import boolean_problem, name_problem, number_problem, text_problem

NO_PLACE = "interval"
SHAPES = ("box", NO_PLACE)
KINDS = ("select", "number", "text", "boolean")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
LABELS, ATTRIBUTES, VALUES = 1000, 100, 1000


class InvalidLabels(Invalid):
    """The labels of a project make no ontology."""


@dataclass(frozen=True)
class Attribute:
    """A property of a label; `mutable` ones change within a track and are set on keyframes, others on the track."""

    name: str
    kind: str
    values: tuple[Any, ...] = ()
    mutable: bool = False
    default: Any = None

    def problem(self, value: object) -> str | None:
        """Why a value does not fit this attribute, or None."""
        if self.kind == "number":
            problem = number_problem(value)
        elif self.kind == "boolean":
            problem = boolean_problem(value)
        else:
            problem = text_problem(value)
        if problem is None and self.values and value not in self.values:
            few = ", ".join(shown(v) for v in self.values[:8]) + (", …" if len(self.values) > 8 else "")
            return f"{shown(value)} is not one of {few}"
        return problem


@dataclass(frozen=True)
class Label:
    """One class of object, or with the shape "interval" of what happens: it has no place in the picture."""

    name: str
    shape: str = "box"
    color: str | None = None
    attributes: tuple[Attribute, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether it has a place in the picture, and tracks can have it; intervals can have any label."""
        return self.shape != NO_PLACE

    @cached_property
    def by_name(self) -> Mapping[str, Attribute]:
        return {a.name: a for a in self.attributes}


@dataclass(frozen=True)
class Ontology:
    """Labels in the project's order; formats of boxes number those that are `drawn` from 1 in this order."""

    labels: tuple[Label, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Label]:
        return {label.name: label for label in self.labels}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @cached_property
    def drawn(self) -> Ontology:
        """Only the labels that have a place in the picture."""
        return Ontology(tuple(label for label in self.labels if label.drawn))

    def with_lost(self, older: Ontology, used: Mapping[str, Collection[str]]) -> Ontology:
        """With what an older version says of labels and attributes that tracks still have and that are missing here.

        `used` maps labels to names of their attributes. Labels are added at the end, so that no number moves; one that
        has no place in the picture any more has it for them.
        """
        labels = dict(self.by_name)
        for label in (label for label in older.labels if label.name in used):
            mine = labels.get(label.name) or replace(label, attributes=())
            if label.drawn and not mine.drawn:
                mine = replace(mine, shape=label.shape)
            lost = [a for a in label.attributes if a.name in used[label.name] and a.name not in mine.by_name]
            labels[label.name] = replace(mine, attributes=(*mine.attributes, *lost)) if lost else mine
        return Ontology(tuple(labels.values()))

    def to_json(self) -> list[dict[str, Any]]:
        """The form of the public contract; `parse_labels` reads it back equal."""
        return [_label_json(label) for label in self.labels]


def plain_ontology(names: Iterable[str]) -> Ontology:
    """Labels without attributes."""
    return Ontology(tuple(Label(name) for name in names))


def label_problem(name: str, ontology: Ontology, *, drawn: bool) -> str | None:
    """Why nothing can have that label, or if it is `drawn` no track; None if it can."""
    known = ontology.by_name.get(name)
    if known is not None and (known.drawn or not drawn):
        return None
    names = ", ".join(map(shown, (ontology.drawn if drawn else ontology).names[:8])) or "none"
    what = "no label of the project" if known is None else "a label of intervals, which have no boxes"
    return f"{shown(name)} is {what}; there are: {names}"


def parse_labels(data: object) -> Ontology:
    """An ontology from a project's `labels`. InvalidLabels lists what is wrong, by pointers under `/labels`."""
    problems = Problems()
    labels = []
    with problems.raising(InvalidLabels):
        for i, item in enumerate(_items(data, "/labels", problems, LABELS)):
            labels.append(_label(item, f"/labels/{i}", problems))
        _distinct([label.name for label in labels], "/labels", problems)
    return Ontology(tuple(labels))


def _items(data: object, at: str, problems: Problems, at_most: int) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        problems.add(at, f"must be a list, not {shown(data)}")
        return []
    if len(data) > at_most:
        problems.add(at, f"has {len(data)} entries; at most {at_most} are allowed")
        return []
    wrong = [i for i, item in enumerate(data) if not isinstance(item, dict)]
    for i in wrong:
        problems.add(f"{at}/{i}", f"must be an object, not {shown(data[i])}")
    return [] if wrong else data


def _label(item: dict[str, Any], at: str, problems: Problems) -> Label:
    name = _name(item, at, problems)
    shape, color = item.get("shape", "box"), item.get("color")
    if shape not in SHAPES:
        problems.add(f"{at}/shape", f"{shown(shape)} is no shape that can be drawn yet; there are: {', '.join(SHAPES)}")
        shape = "box"
    if color is not None and not (isinstance(color, str) and COLOR.fullmatch(color)):
        problems.add(f"{at}/color", f"must be a colour such as #2080c0, not {shown(color)}")
    given = item.get("attributes")
    items = [] if given is None else _items(given, f"{at}/attributes", problems, ATTRIBUTES)
    attributes = [_attribute(a, f"{at}/attributes/{i}", problems) for i, a in enumerate(items)]
    _distinct([a.name for a in attributes], f"{at}/attributes", problems)
    return Label(name, shape, color, tuple(attributes))


def _attribute(item: dict[str, Any], at: str, problems: Problems) -> Attribute:
    name, kind, mutable = _name(item, at, problems), item.get("kind"), item.get("mutable", False)
    if problem := boolean_problem(mutable):
        problems.add(f"{at}/mutable", problem)
    if kind not in KINDS:
        problems.add(f"{at}/kind", f"{shown(kind)} is no kind of attribute; there are: {', '.join(KINDS)}")
        return Attribute(name, "text")
    values = _values(item.get("values"), Attribute(name, kind), f"{at}/values", problems)
    attribute = Attribute(name, kind, values, mutable is True, item.get("default"))
    if attribute.default is not None and (problem := attribute.problem(attribute.default)):
        problems.add(f"{at}/default", problem)
    return attribute


def _values(given: object, attribute: Attribute, at: str, problems: Problems) -> tuple[Any, ...]:
    if given is None or given == []:
        if attribute.kind == "select":
            problems.add(at, "a select needs values to choose from")
        return ()
    if not isinstance(given, list) or len(given) > VALUES:
        problems.add(at, f"must be a list of at most {VALUES} values")
        return ()
    wrong = False
    for i, value in enumerate(given):
        problem = attribute.problem(value)
        if problem is None and value in given[:i]:
            problem = f"{shown(value)} is there twice"
        if problem:
            wrong = True
            problems.add(f"{at}/{i}", problem)
    return () if wrong else tuple(given)


def _name(item: dict[str, Any], at: str, problems: Problems) -> str:
    name = item.get("name")
    if problem := name_problem(name):
        problems.add(f"{at}/name", problem)
        return ""
    return str(name)


def _distinct(names: list[str], at: str, problems: Problems) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name and name in seen:
            problems.add(f"{at}{step(i)}/name", f"{shown(name)} is there twice")
        seen.add(name)


def _label_json(label: Label) -> dict[str, Any]:
    out: dict[str, Any] = {"name": label.name, "shape": label.shape}
    if label.color is not None:
        out["color"] = label.color
    out["attributes"] = [
        {"name": a.name, "kind": a.kind, "mutable": a.mutable}
        | ({"values": list(a.values)} if a.values else {})
        | ({} if a.default is None else {"default": a.default})
        for a in label.attributes
    ]
    return out
