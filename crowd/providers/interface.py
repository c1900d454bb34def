"""What a way of paying people has to do. No Django here: a provider sees orders and outcomes, and no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Order:
    """One payment to be made. Whatever is sent under one `reference` is paid once, however often it is sent."""

    reference: str
    payee: str
    email: str
    currency: str
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: paid, or failed for a reason. `line` is where a statement says so, from 1."""

    reference: str
    paid: bool
    reason: str = ""
    # As the provider says; None where it does not.
    amount_micros: int | None = None
    currency: str | None = None
    line: int = 0


class Provider(Protocol):
    """A way of paying people."""

    name: str

    def send(self, orders: Sequence[Order]) -> Sequence[Outcome]:
        """Hand over orders, again and again if need be, and tell those outcomes that are known at once.

        Orders without an outcome are under way. Any exception means that nobody knows: the orders are sent again under
        the same references, and after three attempts they are `unknown`, until a statement tells.
        """
        ...

    def order_file(self, orders: Sequence[Order]) -> bytes:
        """The orders as a file to take home."""
        ...

    def read_statement(self, data: bytes) -> Sequence[Outcome]:
        """The outcomes that a statement tells. `annotation.core.problems.Invalid` names lines."""
        ...
