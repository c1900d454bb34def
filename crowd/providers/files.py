"""Paying by files: orders go out as CSV, and a statement comes back as CSV, through somebody who has a bank.

Orders have the columns reference, payee, email, currency, amount. A statement is the same file, or any other with the
columns reference, status (paid or failed), currency and amount, and a reason where there is one; other columns are
left out. A comma or a semicolon divides the columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from annotation.core.problems import Invalid, Problem, Problems, shown
from annotation.formats.spreadsheet import cell
from crowd.core.money import read_amount, written
from crowd.providers.interface import Order, Outcome

HEAD = ("reference", "payee", "email", "currency", "amount")
NEEDED = ("reference", "status", "currency", "amount")
STATES = {"paid": True, "failed": False}
FILE = "/file"
MOST_BYTES = 20_000_000
LONGEST_REASON = 1_000


class FileProvider:
    """Somebody carries the file to a bank: what became of an order is known when the statement comes."""

    name = "file"

    def send(self, orders: Sequence[Order]) -> Sequence[Outcome]:
        return ()

    def order_file(self, orders: Sequence[Order]) -> bytes:
        lines = [",".join(HEAD)]
        for order in orders:
            amount = written(order.amount_micros, order.currency)
            cells = (order.reference, order.payee, order.email, order.currency, amount)
            lines.append(",".join(cell(value) for value in cells))
        return "".join(line + "\r\n" for line in lines).encode()

    def read_statement(self, data: bytes) -> Sequence[Outcome]:
        found: list[Outcome] = []
        with Problems().raising(Invalid) as problems:
            for line, row in _rows(data):
                outcome = _outcome(line, row, problems)
                if outcome is not None:
                    found.append(outcome)
            _refuse_doubles(found, problems)
        return found


def _rows(data: bytes) -> list[tuple[int, Mapping[str, str]]]:
    """The lines below the head, each with its number."""
    if len(data) > MOST_BYTES:
        raise _invalid(f"is larger than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"is no UTF-8 text: {error.reason} at byte {error.start}") from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        rows = [(reader.line_num, dict(zip(head, cells, strict=False))) for cells in reader if any(cells)]
    except csv.Error as error:
        raise _invalid(f"line {reader.line_num}: no CSV: {error}") from None
    if missing := [name for name in NEEDED if name not in head]:
        raise _invalid(f"line 1: there is no column {', '.join(missing)}")
    if not rows:
        raise _invalid("has no lines below its head")
    return rows


def _invalid(message: str) -> Invalid:
    return Invalid([Problem(FILE, message)])


def _outcome(line: int, row: Mapping[str, str], problems: Problems) -> Outcome | None:
    reference, status = row["reference"].strip(), row.get("status", "").strip().lower()
    amount, currency = read_amount(row.get("amount", "")), row.get("currency", "").strip().upper()
    wrong = ""
    if status not in STATES:
        wrong = f"the status is paid or failed, not {shown(row.get('status', ''))}"
    elif amount is None:
        wrong = f"the amount is a number such as 12.34, not {shown(row.get('amount', ''))}"
    if wrong:
        problems.add(FILE, f"line {line}: {wrong}")
        return None
    reason = row.get("reason", "").strip().replace("\0", "")[:LONGEST_REASON]
    return Outcome(reference, STATES[status], reason, amount, currency, line)


def _refuse_doubles(found: Sequence[Outcome], problems: Problems) -> None:
    lines: dict[str, int] = {}
    for outcome in found:
        first = lines.setdefault(outcome.reference, outcome.line)
        if first != outcome.line:
            problems.add(FILE, f"line {outcome.line}: {shown(outcome.reference)} is in line {first} already")
