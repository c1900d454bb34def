from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.manifest import manifest_text
from annotation.formats.texts import AT_ONCE, Many, in_pieces, json_text, listed

counts = st.sampled_from([0, 1, 2, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, 2 * AT_ONCE + 7])


def entry(i: int) -> dict[str, Any]:
    return {"at": i, "é": [i, None, "ü"]}


def _spaced(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@given(
    st.dictionaries(st.text(max_size=3), st.one_of(st.integers(), counts.map(range), st.text(max_size=5)), max_size=4)
)
def test_a_long_list_is_written_some_entries_at_a_time_to_the_same_text(given_value: dict[str, Any]) -> None:
    whole = {k: list(map(entry, v)) if isinstance(v, range) else v for k, v in given_value.items()}
    lazy = {k: Many(entry, v) if isinstance(v, range) else v for k, v in given_value.items()}
    for dumps in (json_text, _spaced):
        assert "".join(in_pieces(lazy, dumps)) == dumps(whole)


def test_only_a_long_list_waits_to_be_written() -> None:
    assert listed(entry, range(2)) == [entry(0), entry(1)]
    made: list[int] = []

    def make(i: int) -> dict[str, Any]:
        made.append(i)
        return entry(i)

    lazy = {"tracks": [{"z": 1, "segments": listed(make, range(10 * AT_ONCE)), "a": 2}]}
    texts = manifest_text({"videos": [lazy]})
    so_far = b""
    while not made:
        so_far += next(texts)
    assert len(made) == AT_ONCE
    whole = {"tracks": [{"z": 1, "segments": [entry(i) for i in range(10 * AT_ONCE)], "a": 2}]}
    assert so_far + b"".join(texts) == b"".join(manifest_text({"videos": [whole]}))
    assert len(made) == 10 * AT_ONCE
