"""Attribute values from formats that know nothing but text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.core.ontology import Attribute, Ontology

WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def typed_attributes(texts: Mapping[str, str], label: str, ontology: Ontology | None) -> dict[str, Any]:
    """Values of the kinds that the label's attributes have; without an ontology, or an unknown one, the text itself.

    A text that makes no number or truth stays a text, which the check of attributes then names.
    """
    known = ontology.by_name.get(label) if ontology else None
    return {name: _typed(text, known.by_name.get(name) if known else None) for name, text in texts.items()}


def _typed(text: str, attribute: Attribute | None) -> Any:
    if attribute is None or attribute.kind in ("select", "text"):
        return text
    if attribute.kind == "boolean":
        return WORDS.get(text.strip().lower(), text)
    try:
        return int(text) if len(text) < 18 else float(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
