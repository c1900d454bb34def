"""Money in millionths of a currency, and as people and banks write it (ISO 4217)."""

from __future__ import annotations

import re

MICROS = 1_000_000
#: Decimal places of the currencies that have not two.
PLACES = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)


def places(currency: str) -> int:
    """How many decimal places amounts of a currency have."""
    return PLACES.get(currency, 2)


def payable(micros: int, currency: str) -> int:
    """The part of an amount that can be paid out: whole coins of the currency, and nothing of a debt.

    >>> payable(1_239_999, "EUR"), payable(1_999_999, "JPY"), payable(-5, "EUR")
    (1230000, 1000000, 0)
    """
    coin = MICROS // 10 ** places(currency)
    return max(0, micros // coin * coin)


def written(micros: int, currency: str) -> str:
    """A payable amount as a decimal number.

    >>> written(1_230_000, "EUR"), written(2_000_000, "JPY")
    ('1.23', '2')
    """
    digits = places(currency)
    whole, rest = divmod(micros, MICROS)
    return f"{whole}.{rest:06d}"[: len(str(whole)) + 1 + digits] if digits else str(whole)


def read_amount(text: str) -> int | None:
    """An amount as a statement writes it, in micros. None: it is no plain decimal number.

    >>> read_amount("1.2"), read_amount("1,200"), read_amount("-1")
    (1200000, None, None)
    """
    found = AMOUNT.fullmatch(text.strip())
    return int(found[1]) * MICROS + int((found[2] or "").ljust(6, "0")) if found else None
