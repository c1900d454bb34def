"""What `evaluate` takes from files, and what it refuses, naming file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from review.core.cases import Case, read_case
from review.core.lines import BadLine
from tests.core.test_evaluate import TRUTH, line


def read(folder: Path, *lines: dict | bytes, truth: str | bytes = TRUTH) -> Case:
    given = [x if isinstance(x, bytes) else json.dumps(x, ensure_ascii=False).encode() for x in lines]
    (folder / "gt.txt").write_bytes(truth if isinstance(truth, bytes) else truth.encode())
    (folder / "s.jsonl").write_bytes(b"\n".join(given) + b"\n")
    return read_case("one", folder / "gt.txt", folder / "s.jsonl")


def refused(folder: Path, *lines: dict | bytes, truth: str | bytes = TRUTH) -> tuple[str, int, str, str]:
    """File, line, pointer and message of what is refused."""
    with pytest.raises(BadLine) as error:
        read(folder, *lines, truth=truth)
    return error.value.path.name, error.value.line, error.value.pointer, error.value.message


def test_a_mark_of_byte_order_before_either_file_is_taken(tmp_path):
    marked = b"\xef\xbb\xbf"
    given = json.dumps(line("a", 0, 20)).encode()
    case = read(tmp_path, marked + given, truth=marked + TRUTH.encode())
    assert case.truth.ids == ("1", "2", "3")
    assert case.tasks[0].drawn[0].worker == "a"


def test_a_line_in_another_encoding_is_named_rather_than_guessed(tmp_path):
    latin = [json.dumps(line(w, 0, 20), ensure_ascii=False).encode("latin-1") for w in "éê"]
    good = line("é", 0, 20)
    assert refused(tmp_path, good, *latin) == ("s.jsonl", 2, "", "is not UTF-8")
    assert refused(tmp_path, good, truth=TRUTH.encode() + b"\n# caf\xe9\n") == ("gt.txt", 62, "", "is not UTF-8")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('"worker": "a", "worker": "b"', "the key 'worker' is there twice in one object"),
        ('"worker": "a", "about": {"x": 1, "x": 2}', "the key 'x' is there twice in one object"),
        ('"worker": "a", "about": NaN', "NaN is no JSON"),
    ],
)
def test_what_the_api_would_not_read_is_refused_with_its_line(tmp_path, written, says):
    given = json.dumps(line("a", 0, 20)).replace('"worker": "a"', written)
    assert refused(tmp_path, line("b", 0, 20), given.encode()) == ("s.jsonl", 2, "", says)


@pytest.mark.parametrize("row", ["1,1,,10,20,30,1", "1,1,5,10,20,30,,1,1", ",1,1,5,10,20,30", "1,1,5,10,20,30,1,,"])
def test_an_empty_column_of_truth_is_refused_rather_than_closed_up(tmp_path, row):
    file, number, _, says = refused(tmp_path, line("a", 0, 20), truth=f"{TRUTH}{row}\n")
    assert (file, number) == ("gt.txt", 61)
    assert "must hold numbers" in says


@pytest.mark.parametrize("row", ["1 1 5 10 20 30 1", "1,1,5,10,20,30,1,", " 1, 1, 5, 10,\t20, 30", "1\t1\t5 10\t20 30"])
def test_columns_of_truth_lie_between_commas_or_else_between_blanks(tmp_path, row):
    assert read(tmp_path, line("a", 0, 20), truth=f"{row}\n").truth.boxes[0, 0].tolist() == [5, 10, 25, 40]


@pytest.mark.parametrize(
    "box", ["5,10,0,30", "5,10,20,-1", "1e7,10,20,30", "5,-1e7,20,30", "5,10,1e7,30", "5,10,20,1e300"]
)
def test_a_box_of_truth_has_a_size_and_lies_within_reach(tmp_path, box):
    file, number, _, says = refused(tmp_path, line("a", 0, 20), truth=f"{TRUTH}1,9,{box},1\n")
    assert (file, number) == ("gt.txt", 61)
    assert "width and height" in says
    unscored = read(tmp_path, line("a", 0, 20), truth=f"{TRUTH}1,9,{box},0,1,1\n")
    assert unscored.truth.ids == ("1", "2", "3")


def resting(ids: int, stop: int, worker: str | None = "a", **more) -> dict:
    """Objects that stay where they are."""
    box = [{"frame": 0, "points": [0, 0, 10, 10]}]
    tracks = [{"id": k, "label": "car", "keyframes": box} for k in range(ids)]
    return {"worker": worker, "start": 0, "stop": stop, "tracks": tracks} | more


def test_a_frame_of_truth_that_no_memory_holds_is_refused(tmp_path):
    many = "".join(f"1,{k},0,0,10,10,1\n" for k in range(60))
    truth = f"{many}9999999,1,0,0,10,10,1\n2,1,0,0,10,10,1\n"
    file, number, _, says = refused(tmp_path, line("a", 0, 20), truth=truth)
    assert (file, number) == ("gt.txt", 61)
    assert "60 ids on 9999999 frames" in says


def test_a_submission_that_no_memory_holds_is_refused(tmp_path):
    file, number, at, says = refused(tmp_path, line("b", 0, 20), resting(30, 10_000_000), truth="")
    assert (file, number, at) == ("s.jsonl", 2, "/stop")
    assert "30 tracks on 10000000 frames" in says


def test_a_submission_that_stretches_the_truth_beyond_memory_is_refused(tmp_path):
    truth = "".join(f"1,{k},0,0,10,10,1\n" for k in range(60))
    file, number, at, says = refused(tmp_path, resting(1, 10_000_000), line("b", 0, 20), truth=truth)
    assert (file, number, at) == ("s.jsonl", 1, "/stop")
    assert "60 ids on 10000000 frames" in says


def test_gold_counts_on_the_frames_of_a_task_alone(tmp_path):
    gold = resting(30, 10_000_000, None, gold=True)
    assert read(tmp_path, line("a", 0, 20), gold).tasks[0].gold is not None
    file, number, at, says = refused(tmp_path, resting(1, 10_000_000), gold, truth="")
    assert (file, number, at) == ("s.jsonl", 2, "/tracks")
    assert "30 tracks on 10000000 frames" in says


def test_ten_hours_of_video_are_taken(tmp_path):
    frames = 10 * 3600 * 30
    case = read(tmp_path, *(resting(20, frames, w) for w in "ab"), truth=f"1,1,0,0,10,10,1\n{frames},2,0,0,10,10,1\n")
    assert case.truth.boxes.shape == (2, frames, 4)


def test_one_worker_is_one_witness_of_the_same_frames(tmp_path):
    others = [line("a", 0, 20), line("b", 0, 20), line("a", 0, 10)]
    says = "has a submission on these frames already, in line 1"
    assert refused(tmp_path, *others, line("a", 0, 20, ids=(1,))) == ("s.jsonl", 4, "/worker", says)
    gold = line(None, 0, 20, gold=True)
    assert len(read(tmp_path, *others, gold, gold).tasks) == 2


@pytest.mark.parametrize("name", [" a", "a ", "a\nb", "a\0", "\ud800", "a" * 101, 3, ""])
def test_a_workers_name_is_a_name_as_an_id_is(tmp_path, name):
    given = json.dumps(line("a", 0, 20) | {"worker": name}).encode()
    assert refused(tmp_path, line("b", 0, 20), given)[:3] == ("s.jsonl", 2, "/worker")


@pytest.mark.parametrize("given", [b"", b"\n \n", json.dumps(line(None, 0, 20, gold=True)).encode()])
def test_a_case_that_nobody_drew_has_no_tasks(tmp_path, given):
    assert read(tmp_path, given).tasks == ()
