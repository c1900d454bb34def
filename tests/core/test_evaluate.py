"""`evaluate` on files: what it reads, what it refuses, and that perfect workers give the truth back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.core.metrics import compare
from annotation.core.segments import cut
from annotation.core.tracks import Tracks, make_track
from review.core import evaluating
from review.core.cases import Case, Drawn, Task, read_case
from review.core.evaluating import answers_to, evaluate, mean_figures
from review.core.lines import BadLine
from review.core.steps import Step
from review.core.truth import read_mot
from review.core.writing import mot_text, write_result

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).resolve().parents[2] / "../shared"))
TRUTH = "".join(f"{f},{k},{10 * k + f},{20 * k},10,15,1\n" for f in range(1, 21) for k in (1, 2, 3))


def line(worker: str | None, start: int, stop: int, ids: tuple[int, ...] = (1, 2, 3), **more) -> dict:
    """A perfect worker's submission of some of the objects."""
    tracks = [
        {
            "id": str(k),
            "label": "car",
            "keyframes": [
                {"frame": f, "points": [10 * k + f + 1, 20 * k, 10 * k + f + 11, 20 * k + 15]}
                for f in range(start, stop)
            ],
        }
        for k in ids
    ]
    return {"worker": worker, "start": start, "stop": stop, "tracks": tracks} | more


@pytest.fixture
def files(tmp_path):
    def write(*lines, truth: str = TRUTH) -> Case:
        (tmp_path / "gt.txt").write_text(truth)
        texts = [x if isinstance(x, str) else json.dumps(x) for x in lines]
        (tmp_path / "s.jsonl").write_text("\n".join(texts) + "\n")
        return read_case("one", tmp_path / "gt.txt", tmp_path / "s.jsonl")

    return write


def perfect(start: int, stop: int) -> list[dict]:
    return [line(w, start, stop) for w in "abc"]


def test_perfect_workers_give_the_truth_out(files, tmp_path):
    case = files(*perfect(0, 12), "", *perfect(8, 20))
    (result,), _ = evaluate([case])
    assert result.figures["consensus"].idf1 == 1.0
    assert result.figures["consensus"].hota > 0.999
    assert result.figures["consensus"].workers == 3
    folder = write_result(tmp_path / "out", result)
    back = read_mot(folder / "consensus.txt")
    assert compare(case.truth, back).idf1 == 1.0
    stored = json.loads((folder / "consensus.json").read_text())
    assert len(stored["tracks"]) == 3
    assert all(0 < t["confidence"] <= 1 for t in stored["tracks"])


def test_gold_is_no_submission_but_settles_who_is_trusted(files):
    gold = line(None, 0, 20, gold=True)
    liars = [line(w, 0, 20, ids=()) for w in ("x", "y")]
    case = files(*liars, line("a", 0, 20), gold)
    (task,) = case.tasks
    assert len(task.drawn) == 3
    _, learnt = evaluate([case])
    assert learnt.skills["a"].mean > learnt.skills["x"].mean
    _, without = evaluate([replace(case, tasks=(replace(task, gold=None),))])
    assert learnt.skills["a"].mean > without.skills["a"].mean


def test_adaptive_stops_at_two_who_agree_and_goes_on_where_they_do_not(files):
    agreed = [line(w, 0, 10) for w in "abcd"]
    differing = [line("a", 10, 20, ids=(1,)), *(line(w, 10, 20) for w in "bcd")]
    (result,), _ = evaluate([files(*agreed, *differing)], adaptive=True)
    first, second = result.used
    assert len(first) == 2
    assert len(second) > 2
    assert [d.worker for d in second] == ["a", "b", "c", "d"][: len(second)]


def test_adaptive_asks_in_the_files_order_or_chooses_the_skilled_and_nobody_who_invents(files):
    known = [
        line(w, at, at + 3, ids=ids)
        for at in range(0, 15, 3)
        for w, ids in (("liar", (91, 92, 93)), ("skilled", (1, 2, 3)))
    ]
    disputed = [line("a", 15, 20, ids=(1,)), line("b", 15, 20, ids=(2, 3))]
    more = [line(w, 15, 20) for w in ("liar", "new", "skilled")]
    case = files(*known, line(None, 0, 15, gold=True), *disputed, *more)

    def asked(**how):
        ((result,), learnt) = evaluate([case], adaptive=True, **how)
        assert learnt.skills["liar"].weight == 0
        return [d.worker for d in result.used[-1]]

    assert asked() == ["a", "b", "liar", "new"]
    assert {"skilled"} <= set(asked(choose=True)) <= {"a", "b", "new", "skilled"}
    assert asked(choose=True, gain_floor=0.25) == ["a", "b", "skilled"]


def test_single_workers_are_scored_as_they_are_when_one_sat_everywhere(files):
    case = files(line("a", 0, 20), line("b", 0, 20, ids=(1, 2)), line("c", 0, 20, ids=(1,)))
    (result,), _ = evaluate([case])
    assert result.figures["best"].idf1 == 1.0
    assert result.figures["median"].mota == pytest.approx(2 / 3)


def test_single_workers_whole_videos_are_made_and_scored_one_after_the_other(files, monkeypatch):
    done = []
    for name in ("join", "score"):
        step = getattr(evaluating, name)
        monkeypatch.setattr(evaluating, name, lambda *some, _name=name, _step=step: done.append(_name) or _step(*some))
    evaluate([files(*perfect(0, 12), *perfect(8, 20))])
    assert done == 4 * ["join", "score"]  # the consensus and three workers: memory holds two of a long video


def test_single_workers_of_one_hota_are_ordered_by_how_near_their_boxes_are(files):
    shifted = []
    for worker, by in (("a", 0.0), ("b", 0.1), ("c", 0.2)):
        shifted.append(line(worker, 0, 20))
        for keyframe in (k for t in shifted[-1]["tracks"] for k in t["keyframes"]):
            keyframe["points"] = [x + by * (i % 2 == 0) for i, x in enumerate(keyframe["points"])]
    (result,), _ = evaluate([files(*shifted)])
    best, median = result.figures["best"], result.figures["median"]
    assert best.hota == median.hota == 1.0
    assert (best.mean_iou, median.mean_iou) == (pytest.approx(1.0), pytest.approx(9.9 / 10.1))


def test_means_are_of_the_cases_that_somebody_drew(files):
    full = files(line("a", 0, 20), line("b", 0, 20, ids=(1, 2)))
    undrawn = replace(full, name="undrawn", tasks=())
    results, _ = evaluate([full, undrawn])
    assert set(results[1].figures) == {"consensus"}
    assert mean_figures(results) == results[0].figures
    assert mean_figures(results[1:]) == results[1].figures


@pytest.mark.parametrize(
    ("bad", "pointer", "says"),
    [
        ("{", "", "not JSON"),
        ("[1]", "", "object"),
        ({"start": 0, "stop": 5, "tracks": []}, "/worker", "missing"),
        ({"worker": 3, "start": 0, "stop": 5, "tracks": []}, "/worker", "name"),
        ({"worker": "a", "start": 5, "stop": 5, "tracks": []}, "/stop", "after"),
        ({"worker": "a", "start": -1, "stop": 5, "tracks": []}, "/start", "whole number"),
        ({"worker": "a", "start": 0, "stop": 5, "gold": 1, "tracks": []}, "/gold", "true or false"),
        (line("a", 0, 5) | {"stop": 3}, "/tracks/0/keyframes/3/frame", ""),
    ],
)
def test_a_bad_line_is_named_with_file_line_and_pointer(files, bad, pointer, says):
    with pytest.raises(BadLine) as error:
        files(line("a", 0, 5), bad)
    assert (error.value.line, error.value.pointer) == (2, pointer)
    assert says in error.value.message
    assert "s.jsonl" in str(error.value)


@pytest.mark.parametrize(
    "bad", ["1,1,2\n", "1,1,a,2,3,4,1\n", "0,1,1,1,2,2,1\n", "1,1,1,1,2,nan,1\n", TRUTH + "1,1,0,0,5,5,1\n"]
)
def test_a_bad_line_of_truth_is_named(files, bad):
    with pytest.raises(BadLine, match="line"):
        files(line("a", 0, 5), truth=bad)


def test_truth_with_nine_columns_leaves_out_what_is_not_to_be_scored(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text("1,1,0,0,10,10,1,1,1\n1,2,0,0,10,10,0,7,1\n")
    assert read_mot(path).ids == ("1",)
    path.write_text("1,1,0,0,10,10,0,-1,-1,-1\n")
    assert read_mot(path).ids == ("1",)


def _sequences() -> list[str]:
    return sorted(p.parent.name for p in (SHARED / "data/mot15").glob("*/gt.txt"))


@pytest.mark.skipif(not _sequences(), reason="needs ../shared/data/mot15")
@pytest.mark.parametrize("name", _sequences())
def test_three_perfect_workers_give_real_truth_out(name):
    truth = read_mot(SHARED / "data/mot15" / name / "gt.txt")
    tasks = []
    for start, stop in cut(truth.stop, 100, 20):
        drawn = [Drawn(i, worker, _tracks(truth, start, stop)) for i, worker in enumerate("abc")]
        tasks.append(Task(start, stop, tuple(drawn), None))
    (result,), _ = evaluate([Case(name, truth, tuple(tasks))])
    assert result.figures["consensus"].idf1 == 1.0
    assert result.figures["consensus"].hota >= 0.999


def _tracks(truth, start, stop):
    tracks = []
    for row in np.flatnonzero(truth.present[:, start:stop].any(axis=1)):
        present = truth.present[row, start:stop]
        gone = np.zeros(len(present), bool)
        gone[1:] = present[:-1] & ~present[1:]
        at = np.flatnonzero(present | gone)
        boxes = truth.boxes[row, start:stop][at]
        tracks.append(make_track(truth.ids[row], "person", at + start, boxes, outside=~present[at]))
    return Tracks(start, stop, tuple(tracks))


def test_mot_text_counts_frames_from_one(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text(TRUTH)
    assert mot_text(read_mot(path)).splitlines()[0] == "1,1,11.0000,20.0000,10.0000,15.0000,1,1,1"


def test_who_is_known_from_former_work_is_chosen_from_the_first_task_on(files):
    pool = {"liar": (91, 92, 93), "rogue": (94, 95), "skilled": (1, 2, 3), "steady": (1, 2, 3)}
    drawn = [line(w, at, at + 3, ids=ids) for at in range(0, 15, 3) for w, ids in pool.items()]
    before = files(*drawn, line(None, 0, 15, gold=True))
    former = [answers_to(task, task.drawn) for task in before.tasks]
    now = files(*(line(w, 0, 10, ids=ids) for w, ids in pool.items()))
    (unknown,), _ = evaluate([now], adaptive=True, choose=True)
    (known,), _ = evaluate([now], adaptive=True, choose=True, former=former)
    assert {"liar", "rogue"} <= {d.worker for d in unknown.used[0]}
    assert [d.worker for d in known.used[0]] == ["skilled", "steady"]


def test_by_the_plain_rule_one_more_is_asked_while_two_who_have_a_say_are_under_the_floor(files):
    agreed = [line(w, 0, 10) for w in "abcd"]
    differing = [line("a", 10, 20, ids=(1,)), *(line(w, 10, 20) for w in "bcd")]
    case = files(*agreed, *differing)
    spent = [[len(some) for some in evaluate([case], adaptive=True, agreement_floor=f)[0][0].used] for f in (0.0, 1.0)]
    assert spent == [[2, 2], [2, 4]]


def test_who_listens_is_told_of_every_case_task_and_round(files):
    agreed = [line(w, 0, 10) for w in "abc"]
    differing = [line("a", 10, 20, ids=(1,)), *(line(w, 10, 20) for w in "bcd")]
    case = files(*agreed, *differing)
    heard: list[Step] = []
    evaluate([case, replace(case, name="two")], adaptive=True, on_step=heard.append)
    assert all(step.cases == step.tasks == 2 and 0 <= step.task <= 2 for step in heard if step.case)
    made = [(s.name, s.case, s.task) for s in heard if s.doing == "consensus"]
    assert made == [("one", 1, 1), ("one", 1, 2), ("two", 2, 1), ("two", 2, 2)]
    rounds = list(dict.fromkeys(s.doing for s in heard if "round" in s.doing))
    assert rounds[:2] == ["asking, round 1", "asking, round 2"]
    assert heard[0] == Step("learning skills")
