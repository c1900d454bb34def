from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.columns import Choice, Exact, Fixed, Whole, render, render_rows, split


@given(st.lists(st.integers(-(10**15), 10**15), max_size=8), st.integers(1, 8))
def test_whole_numbers_are_as_python_writes_them(values, pad):
    expected = "".join(("-" if v < 0 else "") + str(abs(v)).zfill(pad) + "\n" for v in values)
    assert render(len(values), [Whole(np.array(values, np.int64), pad), b"\n"]) == expected.encode()


def naive(value: float, places: int, least: int) -> str:
    units = round(abs(np.rint(value * 10.0**places)))
    whole, rest = divmod(units, 10**places)
    digits = f"{rest:0{places}}".rstrip("0").ljust(least, "0")
    sign = "-" if np.rint(value * 10.0**places) < 0 else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(-9999, 9999).map(lambda n: n / 100), max_size=8),
    st.integers(1, 9),
    st.data(),
)
def test_fractions_are_as_a_naive_formatter_writes_them(values, places, data):
    least = data.draw(st.integers(0, places))
    expected = "".join(naive(v, places, least) + ";" for v in values)
    assert render(len(values), [Fixed(np.array(values, float), places, least), b";"]) == expected.encode()


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-999, 999).map(lambda n: n / 8), max_size=8)
)
def test_exact_floats_read_back_as_the_same_float(values):
    texts = render(len(values), [Exact(np.array(values, float)), b"\n"]).decode().split("\n")[:-1]
    assert [float(t).hex() for t in texts] == [
        (v + 0.0).hex() if v else float(t).hex() for v, t in zip(values, texts, strict=True)
    ]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 500)), max_size=10))
def test_rows_come_with_their_lengths(rows):
    index, numbers = np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64)
    text, lengths = render_rows(len(rows), [Choice([b"", b"a", b"long"], index), b"=", Whole(numbers)])
    expected = [(b"", b"a", b"long")[i] + b"=%d" % n for i, n in rows]
    assert text == b"".join(expected)
    assert lengths.tolist() == [len(e) for e in expected]
    assert split(text, lengths, np.array([len(rows), 0], np.int64)) == [text, b""]
