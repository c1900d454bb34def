"""XML from strangers, event by event: no document type, so no entities, no files and no addresses."""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat

from annotation.formats.archives import refuse

MAX_DEPTH = 50


class Handler(Protocol):
    """What reads a document. `line` counts from 1; `text` is what an element holds besides other elements."""

    def start(self, name: str, attributes: dict[str, str], line: int) -> None: ...

    def end(self, name: str, text: str, line: int) -> None: ...


class _Refused(Exception):
    """The document holds what is not read."""


def read_xml(data: bytes, handler: Handler) -> None:
    """Feed a document to a handler. InvalidFile: the line where it is no XML, has a document type or is too deep."""
    feeder = _Feeder(handler)
    try:
        feeder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise refuse(f"line {error.lineno}: no XML: {expat.ErrorString(error.code)}") from None
    except _Refused as error:
        raise refuse(f"line {feeder.parser.CurrentLineNumber}: {error}") from None
    except (ValueError, LookupError) as error:  # an encoding that nobody knows
        raise refuse(f"the XML cannot be read: {error}") from None


class _Feeder:
    def __init__(self, handler: Handler) -> None:
        self.handler, self.parser = handler, expat.ParserCreate()
        self.texts: list[list[str]] = []
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.document_type
        self.parser.CharacterDataHandler = self.characters
        self.parser.buffer_text = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.texts) >= MAX_DEPTH:
            raise _Refused(f"the elements are nested more than {MAX_DEPTH} deep")
        self.texts.append([])
        self.handler.start(name, attributes, self.parser.CurrentLineNumber)

    def end(self, name: str) -> None:
        self.handler.end(name, "".join(self.texts.pop()), self.parser.CurrentLineNumber)

    def document_type(self, *_: object) -> None:
        raise _Refused("documents with a document type are not read")

    def characters(self, text: str) -> None:
        if self.texts:
            self.texts[-1].append(text)
