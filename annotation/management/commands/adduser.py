from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation.enrolling import enrol
from annotation.errors import Problem
from annotation.lifecycle import Role
from annotation.migrating import migrate_if_new

COLUMNS = ("name", "role", "password", "languages")


class Command(BaseCommand):
    """One person, or a file of them."""

    help = "Makes or updates users and prints their API tokens: one alone on the last line, or a csv for a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the name that they log in with")
        parser.add_argument("--role", choices=Role.values, default="", help="who they are; somebody new needs one")
        parser.add_argument("--languages", help="what they speak, with commas between: en,pt-BR")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read a password for the web pages from stdin"
        )
        parser.add_argument("--file", type=Path, help=f"a csv with the columns {', '.join(COLUMNS)}")
        parser.add_argument("--new-token", action="store_true", help="make a new token; the old one stops working")

    def handle(self, *args: object, **options: object) -> None:
        if bool(options["name"]) == bool(options["file"]):
            raise CommandError("give either a NAME or --file people.csv")
        migrate_if_new()
        try:
            if options["file"]:
                self._enrol_file(options)
            else:
                password = _password() if options["password_stdin"] else ""
                self.stdout.write(self._enrol(options, {"name": options["name"], "password": password}))
        except Problem as problem:
            raise CommandError(problem.detail) from None

    def _enrol(self, options: dict, person: dict[str, str]) -> str:
        role = person.get("role") or options["role"]
        password = person.get("password") or ""
        spoken = person.get("languages") or options["languages"]
        languages = None if spoken is None else [tag.strip() for tag in spoken.split(",") if tag.strip()]
        return enrol(
            name=person["name"],
            role=role,
            password=password,
            new_token=options["new_token"],
            languages=languages,
        )

    def _enrol_file(self, options: dict) -> None:
        if options["password_stdin"]:
            raise CommandError("--password-stdin is for one NAME; a file may have a column password")
        people = _people(options["file"])
        rows: list[tuple[str, str]] = []
        with transaction.atomic():
            for line, person in people:
                try:
                    rows.append((person["name"], self._enrol(options, person)))
                except Problem as problem:
                    raise CommandError(f"{options['file']}, line {line}: {problem.detail}") from None
        written = csv.writer(self.stdout, lineterminator="\n")
        written.writerows([("name", "token"), *rows])


def _password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError("--password-stdin: there is no password on the first line of stdin")
    return password


def _people(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a csv file, each with its line. CommandError says what is wrong with it, and in which line."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = [str(name) for name in reader.fieldnames or []]
            people = [(reader.line_num, person) for person in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    if "name" not in header or set(header) - set(COLUMNS):
        raise CommandError(f"{path}: the first line names the columns, of {', '.join(COLUMNS)}; name is needed")
    for line, person in people:
        if not (person["name"] or "").strip() or None in person:
            raise CommandError(f"{path}, line {line}: this is not one person with {', '.join(header)}")
    return [(line, {column: (value or "").strip() for column, value in person.items()}) for line, person in people]
