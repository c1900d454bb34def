"""What `evaluate` leaves on disk, also where it cannot write."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from review.core.evaluating import Result, evaluate
from review.core.writing import class_numbers, write_result
from tests.core.test_cases import read
from tests.core.test_evaluate import line


@pytest.fixture
def result(tmp_path) -> Result:
    ((result,), _) = evaluate([read(tmp_path, line("a", 0, 20), line("b", 0, 20))])
    return result


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_where_the_disk_is_full_what_was_there_stays_and_nothing_else(tmp_path, result, monkeypatch):
    folder = write_result(tmp_path / "out", result)
    before = contents(folder)
    assert set(before) == {"consensus.txt", "consensus.json"}

    def full(path: Path, text: str, *how: object, **more: object) -> None:
        with path.open("w") as file:
            file.write(text[: len(text) // 2])
        if "json" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device.*/one/consensus.json'") as error:
        write_result(tmp_path / "out", result)
    assert error.value.errno == errno.ENOSPC
    assert contents(folder) == before


def test_others_may_read_what_was_written_as_far_as_the_umask_lets_them(tmp_path, result):
    mask = os.umask(0o022)
    try:
        folder = write_result(tmp_path / "out", result)
    finally:
        os.umask(mask)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


def classes_in(folder: Path) -> set[str]:
    return {row.split(",")[7] for row in (folder / "consensus.txt").read_text().splitlines()}


def labelled(label: str, *given: dict) -> list[dict]:
    return [x | {"tracks": [t | {"label": label} for t in x["tracks"]]} for x in given]


def test_a_class_means_one_label_in_all_cases_of_a_run(tmp_path):
    lines = [line("a", 0, 20), line("b", 0, 20)]
    cases = [read(tmp_path, *labelled(label, *lines)) for label in ("dog", "cat")]
    cases = [replace(case, name=name) for case, name in zip(cases, ("one", "two"), strict=True)]
    results, _ = evaluate(cases)
    classes = class_numbers(results)
    assert classes == {"cat": 1, "dog": 2}
    assert [classes_in(write_result(tmp_path / "out", r, classes)) for r in results] == [{"2"}, {"1"}]
    assert [classes_in(write_result(tmp_path / "alone", r)) for r in results] == [{"1"}, {"1"}]
