from __future__ import annotations

import csv
from collections import defaultdict
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou
from annotation.core.matching import soft_f
from review.core.agreement import alpha, alpha_by, alpha_of_scores, rated, without_empty
from tests.core.cast import DATA, needs_data

# Krippendorff's example of four observers and twelve units, with answers missing.
OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
EXAMPLE = [(int(v), u) for row in OBSERVERS for u, v in enumerate(row.split()) if v != "."]
VALUES, UNITS = zip(*EXAMPLE, strict=True)

answers = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=25)


def naive(values, units, distance) -> float | None:
    """Alpha by its definition, over all ordered pairs of pairable answers."""
    groups = defaultdict(list)
    for value, unit in zip(values, units, strict=True):
        groups[unit].append(value)
    groups = [g for g in groups.values() if len(g) >= 2]
    every = [v for g in groups for v in g]
    n = len(every)
    if not n:
        return None
    observed = sum(sum(distance(a, b, every) for a, b in permutations(g, 2)) / (len(g) - 1) for g in groups) / n
    expected = sum(distance(a, b, every) for a, b in permutations(every, 2)) / (n * (n - 1))
    return None if expected == 0 else 1 - observed / expected


def ordinal(a, b, every) -> float:
    low, high = sorted((a, b))
    between = sum(low <= v <= high for v in every)
    return (between - (every.count(low) + every.count(high)) / 2) ** 2


DISTANCES = {"nominal": lambda a, b, _: float(a != b), "interval": lambda a, b, _: (a - b) ** 2.0, "ordinal": ordinal}


@pytest.mark.parametrize(("kind", "value"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_the_published_example_comes_out(kind, value):
    found = alpha(VALUES, UNITS, kind)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert (found.units, found.answers) == (11, 40)
    assert found.low < value < found.high


@given(answers, st.sampled_from(sorted(DISTANCES)))
@settings(max_examples=150, deadline=None)
def test_alpha_equals_its_definition(given_answers, kind):
    values, units = [v for v, _ in given_answers], [u for _, u in given_answers]
    want = naive(values, units, DISTANCES[kind])
    found = alpha(np.array(values, int), units, kind).value
    measured = alpha_by(values, units, lambda a, b: DISTANCES[kind](a, b, _pairable(values, units))).value
    if want is None:
        assert found is None
        assert measured is None
    else:
        assert found == pytest.approx(want, abs=1e-9)
        assert measured == pytest.approx(want, abs=1e-9)


@given(answers, st.sampled_from([0.1, 1 / 3, 1e6]), st.sampled_from([1.0, 0.1, 1e-6]))
@example([(1, u // 3) for u in range(15)], 0.0, 0.1)  # sums of a tenth are no multiples of it
@settings(max_examples=100, deadline=None)
def test_only_how_far_numbers_are_apart_has_a_say(given_answers, away, step):
    values, units = [away + v * step for v, _ in given_answers], [u for _, u in given_answers]
    want, found = naive(values, units, DISTANCES["interval"]), alpha(values, units, "interval").value
    assert (found is None) == (want is None)
    assert found is None or found == pytest.approx(want, abs=1e-9)


def _pairable(values, units) -> list:
    return [v for v, u in zip(values, units, strict=True) if units.count(u) >= 2]


def test_ten_thousand_different_numbers_are_no_burden():
    rng = np.random.default_rng(3)
    truth = np.repeat(rng.normal(0, 1, 5000), 2)
    found = alpha(truth + rng.normal(0, 0.5, 10_000), np.repeat(np.arange(5000), 2).tolist(), "interval")
    assert found.value == pytest.approx(0.8, abs=0.02)


def test_labels_of_any_type_are_nominal():
    assert alpha(["a", "b", "a", "b"], ["u", "v", "u", "v"]).value == 1.0
    assert alpha(["a", "b", "b", "a"], ["u", "u", "v", "v"]).value == pytest.approx(-0.5)


def test_nothing_is_said_where_nothing_can_be_said():
    assert alpha([], []).value is None
    assert alpha([1, 2], ["u", "v"]).value is None
    assert alpha([1, 1], ["u", "u"]).value is None


def test_an_answer_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        alpha([1.0, np.nan], ["u", "u"], "interval")
    for said in (alpha, rated):
        with pytest.raises(ValueError, match="NaN"):
            said(["a", float("nan"), "a"], ["u", "u", "u"])
    with pytest.raises(ValueError, match="2 answers, 1 units"):
        alpha([1, 2], ["u"])


def test_a_sample_of_pairs_is_near_all_pairs_and_the_same_each_time():
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(0, 1, 150), 2) + rng.normal(0, 0.5, 300)
    units = np.repeat(np.arange(150), 2).tolist()
    whole = alpha(values, units, "interval").value

    def sampled(seed: int) -> float:
        return alpha_by(values, units, lambda a, b: (a - b) ** 2, most_pairs=4000, seed=seed).value

    assert sampled(0) == sampled(0) != sampled(1)
    assert sampled(0) == pytest.approx(whole, abs=0.03)


def test_sigma_is_high_where_workers_agree_and_low_where_they_guess():
    rng = np.random.default_rng(2)
    units = np.repeat(np.arange(100), 2).tolist()
    truth = np.repeat(rng.normal(0, 1, 100), 2)
    near = alpha_by(truth + rng.normal(0, 0.01, 200), units, lambda a, b: abs(a - b))
    guessed = alpha_by(rng.normal(0, 1, 200), units, lambda a, b: abs(a - b))
    assert near.sigma > 0.9
    assert guessed.sigma == pytest.approx(0.05, abs=0.06)


def test_units_that_all_leave_empty_can_be_left_out():
    mask = without_empty(["a", "a", "b", "b"], [True, True, False, True])
    assert mask.tolist() == [False, False, True, True]


@needs_data
def test_real_boxes_of_real_workers_agree_as_published():
    drawn = defaultdict(list)
    with (DATA / "pedestrians/answers.csv").open() as file:
        for row in csv.DictReader(file):
            boxes = drawn[(row["image"], row["worker"])]
            if row["x1"]:
                boxes.append([float(row[k]) for k in ("x1", "y1", "x2", "y2")])
    images = sorted({image for image, _ in drawn})[:200]
    given_boxes = {key: np.array(v).reshape(-1, 4) for key, v in drawn.items() if key[0] in images}
    found = alpha_by(
        list(given_boxes.values()), [i for i, _ in given_boxes], lambda a, b: 1 - soft_f(iou(a, b)), most_pairs=4000
    )
    assert found.value == pytest.approx(0.70, abs=0.04)
    assert found.low < found.value < found.high


def test_alpha_of_similarities_compares_with_chance():
    assert alpha_of_scores([[1.0, 1.0], [1.0, 1.0]])[0] == 1.0
    assert alpha_of_scores([[0.8, 0.6], [0.9]])[0] == pytest.approx(0.7)
    assert alpha_of_scores([[0.6, 0.6]], chance=0.2)[0] == pytest.approx(0.5)
    assert alpha_of_scores([[0.9], []]) == (None, None, None)


def test_gwets_and_fleiss_figures_are_the_published_ones():
    found = rated(VALUES, UNITS)
    assert (found.raw, found.ac1, found.kappa) == pytest.approx((0.818182, 0.775444, 0.761169), abs=1e-6)
    assert rated([1, 2], ["u", "v"]) is None


def test_rare_attributes_do_not_make_agreement_vanish():
    values = [0, 0] * 98 + [0, 1] * 2
    found = rated(values, np.repeat(np.arange(100), 2).tolist())
    assert found.raw == 0.98
    assert found.kappa < 0.0
    assert found.ac1 > 0.97


def test_labels_are_of_any_type_and_one_and_its_text_are_two():
    units = ["u", "u", "v", "v"]
    for labels in ([1, "1", 1, 1], [True, 1, 1, 1], [None, "a", "a", "a"], [("a", 1), ("a", 2), ("a", 1), ("a", 1)]):
        named = ["x" if label == labels[0] and type(label) is type(labels[0]) else "y" for label in labels]
        assert alpha(labels, units) == alpha(named, units)
        assert rated(labels, [(unit, 0) for unit in units]) == rated(named, units)
