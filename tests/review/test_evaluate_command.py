"""`manage.py evaluate` from the shell: what it says, where, and when."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from review.core.evaluating import evaluate as make
from review.management.commands import evaluate
from tests.core.test_evaluate import TRUTH, line

Shell = Callable[..., tuple[str, str]]


@pytest.fixture
def shell(tmp_path) -> Shell:
    """Runs the command over cases given as name=submissions; returns what it wrote on stdout and stderr."""

    def run(*how: str, out: Path = tmp_path / "out", stdout: Any = None, verbosity: int = 1, **cases: list[dict]):
        (tmp_path / "gt.txt").write_text(TRUTH)
        named = []
        for i, (name, lines) in enumerate(cases.items()):
            path = tmp_path / f"{i}.jsonl"
            path.write_text("".join(json.dumps(x) + "\n" for x in lines))
            named += ["--case", name, str(tmp_path / "gt.txt"), str(path)]
        said, aside = stdout or StringIO(), StringIO()
        args = [*named, "--out", str(out), *how]
        call_command("evaluate", *args, stdout=said, stderr=aside, verbosity=verbosity)
        return "" if stdout else said.getvalue(), aside.getvalue()

    return run


def everything(**more) -> list[dict]:
    return [line(w, 0, 20, **more) for w in "ab"]


def never(*given: object, **more: object) -> None:
    raise AssertionError("the work has begun")


def test_a_table_and_where_the_files_are_go_to_stdout(shell, tmp_path):
    said, aside = shell(one=everything(), two=everything())
    assert said.splitlines()[0].strip() == "Against the truth"
    assert "best single worker" in said
    assert f"written: {tmp_path}/out/two/consensus.txt, consensus.json" in said
    assert aside == ""


def test_who_gives_a_case_that_nobody_drew_is_told_and_gets_what_there_is(shell):
    said, aside = shell(one=everything(), two=[])
    assert aside == "two: no submissions\n"
    assert "mean" in said


@pytest.mark.parametrize("what", ["out", "out/one", "out/one/consensus.json/"])
def test_where_nothing_can_be_written_no_work_is_begun(shell, tmp_path, monkeypatch, what):
    path = tmp_path / what
    path.parent.mkdir(parents=True, exist_ok=True)
    if what.endswith("/"):
        path.mkdir()
    else:
        path.write_text("in the way")
    monkeypatch.setattr(evaluate, "evaluate", never)
    with pytest.raises(CommandError, match=f"--out: .*{what.strip('/')}"):
        shell(one=everything())


def test_a_folder_that_takes_no_files_is_found_before_the_work(shell, monkeypatch):
    def full(*given: object, **more: object) -> None:
        raise OSError(30, "Read-only file system", "somewhere")

    monkeypatch.setattr(evaluate, "evaluate", never)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(CommandError, match="--out: .*Read-only file system: .*/out/one"):
        shell(one=everything())


def test_how_far_it_is_goes_to_stderr_when_asked_for(shell):
    first, aside = shell("--adaptive", verbosity=2, one=everything(), two=everything())
    lines = aside.splitlines()
    assert lines[0] == "learning skills"
    assert "asking, round 1: case 2 of 2 (two), task 1 of 1" in lines
    assert "consensus: case 1 of 2 (one), task 1 of 1" in lines
    assert shell("--adaptive", one=everything(), two=everything()) == (first, "")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (1, True)])
def test_how_far_it_is_stands_on_one_line_of_a_terminal(shell, monkeypatch, verbosity, shown):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.stderr", Terminal())
    said, _ = shell(verbosity=verbosity, **{"[one]:smile:": everything()})
    seen = sys.stderr.getvalue()
    assert ("single workers: case 1 of 1 ([one]:smile:)" in seen) is shown
    assert "round" not in said and (seen == "") is not shown


def test_a_class_in_the_files_means_one_label_in_all_cases(shell, tmp_path):
    dogs = [x | {"tracks": [t | {"label": "dog"} for t in x["tracks"]]} for x in everything()]
    shell(one=dogs, two=everything())
    rows = [(tmp_path / "out" / name / "consensus.txt").read_text().splitlines()[0] for name in ("one", "two")]
    assert [row.split(",")[7] for row in rows] == ["2", "1"]


def doubting(cases: list, **how: object) -> tuple:
    """As `evaluate` has it, but with every join in doubt."""
    results, learnt = make(cases, **how)
    for i, result in enumerate(results):
        stitched = result.whole.stitched
        doubtful = replace(stitched, joins=tuple(join._replace(doubtful=True) for join in stitched.joins))
        results[i] = replace(result, whole=replace(result.whole, stitched=doubtful))
    return results, learnt


def test_doubtful_joins_are_listed_in_json_too(shell, tmp_path, monkeypatch):
    lines = [line(w, *at) for at in ((0, 12), (8, 20)) for w in "ab"]
    plain = json.loads(shell("--json", one=lines)[0])["cases"]["one"]
    assert (plain["doubtful_joins"], plain["doubtful"]) == (0, [])
    monkeypatch.setattr(evaluate, "evaluate", doubting)
    said = json.loads(shell("--json", one=lines)[0])["cases"]["one"]
    stored = json.loads((tmp_path / "out/one/consensus.json").read_text())["joins"]
    assert said["doubtful_joins"] == len(stored) == 3
    assert said["doubtful"] == [{k: join[k] for k in ("left", "right", "kind", "confidence")} for join in stored]
    assert said["doubtful"][0]["left"] == {"start": 0, "stop": 12, "track": stored[0]["left"]["track"]}


def test_names_are_shown_as_they_are_given(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "evaluate", doubting)
    lines = [line(w, *at) for at in ((0, 12), (8, 20)) for w in "ab"]
    out = tmp_path / ":smile:[b]"
    said, _ = shell(out=out, **{"[bold]": lines, "[x] :smile:": lines})
    assert "[bold] " in said and "[x] :smile: " in said
    assert "doubtful join in [bold]: " in said
    assert f"written: {out}/[bold]/consensus.txt" in said
    odd = tmp_path / "[" / "end]"  # is "[/end]" together
    assert f"written: {odd}/one/consensus.txt" in shell(out=odd, one=lines)[0]


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_names_that_stdout_cannot_hold_are_written_with_escapes(shell, tmp_path, json_too):
    raw = BytesIO()
    said = TextIOWrapper(raw, encoding="ascii", write_through=True)
    shell(*json_too, stdout=said, **{"café": everything(), "\udce9": everything()})
    assert b"caf\\xe9" in raw.getvalue() or b"caf\\u00e9" in raw.getvalue()
    assert b"\\udce9" in raw.getvalue()
    assert (tmp_path / "out" / "café" / "consensus.txt").exists()
