from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from crowd.core.ranking import EARLY, WINDOW, wants_gold
from crowd.core.skill import Counts, Evidence, Skill, estimate, estimate_from_figures, vote_weight
from crowd.core.stopping import GAIN_FLOOR, Judged, seats_wanted, settled, votes_needed, why_more

scores = st.lists(st.builds(Evidence, st.floats(0, 1), st.booleans()), max_size=8)


def test_a_new_worker_has_the_prior():
    new = estimate([])
    assert (new.mean, new.hit, new.false_alarm, new.spread) == pytest.approx((0.8, 0.8, 0.1, 0.05))
    assert new.low == pytest.approx(beta.ppf(0.2, 8, 2))
    assert new.weight == pytest.approx(np.log(4))


@given(scores, st.floats(0, 1), st.booleans())
def test_more_evidence_moves_a_skill_towards_it(evidence, score, peer):
    before, after = estimate(evidence), estimate([*evidence, Evidence(score, peer)])
    assert min(before.mean, score) - 1e-9 <= after.mean <= max(before.mean, score) + 1e-9
    assert 0 <= after.low < after.high <= 1
    assert 0 <= after.weight <= 3


@given(scores, st.randoms())
def test_the_order_of_evidence_changes_nothing(evidence, random):
    turned = list(evidence)
    random.shuffle(turned)
    assert estimate(turned).mean == pytest.approx(estimate(evidence).mean)


def test_peers_count_half_of_gold():
    assert estimate([Evidence(0.1, peer=True)] * 4).mean == pytest.approx(estimate([Evidence(0.1)] * 2).mean)


def test_ten_bad_golds_silence_a_worker_and_ten_good_ones_make_a_voice():
    bad, good = estimate([Evidence(0.05)] * 10), estimate([Evidence(0.9)] * 10)
    assert bad.weight == 0.0
    assert good.weight > estimate([]).weight
    assert bad.high < good.low


@pytest.mark.parametrize(("skill", "weight"), [(0.0, 0.0), (0.5, 0.0), (0.75, np.log(3)), (0.99, 3.0), (1.0, 3.0)])
def test_a_vote_weighs_the_log_odds_within_bounds(skill, weight):
    assert vote_weight(skill) == pytest.approx(weight)


def test_rates_are_kept_by_label():
    seen = {"car": Counts(10, 10, 0, 0.02), "dog": Counts(10, 0, 5, None)}
    skill = estimate([Evidence(0.7, counts=seen)] * 3)
    car, dog = skill.by_label["car"], skill.by_label["dog"]
    assert car.hit > skill.hit > dog.hit
    assert car.false_alarm < skill.false_alarm < dog.false_alarm
    assert car.spread < 0.05


def test_what_peers_say_moves_no_rates():
    assert estimate([Evidence(0.1, peer=True, counts={"car": Counts(10, 0, 0)})]).hit == estimate([]).hit


def test_a_skill_survives_being_stored():
    figures = {"soft_track_f": 0.9, "counts": {"car": {"objects": 3, "found": 2, "invented": 1, "spread": 0.03}}}
    skill = estimate_from_figures(gold=[figures], peers=[0.7])
    assert Skill.from_json(json.loads(json.dumps(skill.to_json()))) == skill


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        estimate([Evidence(float("nan"))])


@dataclass
class Plan:
    first_seats: int = 2
    max_redundancy: int = 5
    agreement_floor: float = 0.8
    gain_floor: float = GAIN_FLOOR
    adaptive: bool = True


FIXED = Plan(first_seats=3, adaptive=False)
RISKY = Judged(0.95, gain=GAIN_FLOOR * 1.01)


@pytest.mark.parametrize(
    ("plan", "agreement", "submissions", "seats"),
    [
        (FIXED, 0.9, 3, 0),
        (FIXED, 0.8, 3, 0),
        (FIXED, 0.79, 3, 1),
        (FIXED, 0.7, 4, 1),
        (FIXED, 0.1, 5, 0),
        (FIXED, 0.1, 7, 0),
        (FIXED, 1.0, 1, 2),
        (Plan(), 1.0, 1, 1),
        (Plan(first_seats=1), 0.0, 1, 0),
        (Plan(first_seats=1, max_redundancy=1), 0.0, 1, 0),
    ],
)
def test_one_more_worker_while_they_do_not_agree(plan, agreement, submissions, seats):
    assert seats_wanted(policy=plan, judged=Judged(agreement), submissions=submissions) == seats


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (RISKY, "gain"),
        (Judged(1.0, gain=GAIN_FLOOR * 1.01, empty=True, proven=False), "gain"),
        (Judged(1.0, empty=True, proven=False), "empty"),
        (Judged(1.0, empty=True), ""),
        (Judged(0.95, gain=GAIN_FLOOR), ""),
        (Judged(0.1), ""),
        (Judged(0.79, timed=True), "agreement"),
        (Judged(0.8, gain=0.5, timed=True), "gain"),
        (Judged(0.8, gain=GAIN_FLOOR, timed=True), ""),
    ],
)
def test_an_adaptive_policy_says_why_it_wants_one_more_until_the_bound(judged, why):
    assert why_more(policy=Plan(), judged=judged, submissions=2) == why
    assert seats_wanted(policy=Plan(), judged=judged, submissions=2) == bool(why)
    assert seats_wanted(policy=Plan(), judged=judged, submissions=5) == 0


@pytest.mark.parametrize(("floor", "why"), [(0.0, "gain"), (0.3, ""), (1.0, "")])
def test_a_policy_says_from_which_gain_on_one_more_is_wanted(floor, why):
    assert why_more(policy=Plan(gain_floor=floor), judged=Judged(0.95, gain=0.2), submissions=2) == why


def test_a_fixed_policy_goes_by_agreement_alone():
    assert why_more(policy=FIXED, judged=RISKY, submissions=3) == ""
    assert why_more(policy=FIXED, judged=Judged(0.7), submissions=3) == "agreement"


def test_one_submission_is_enough_where_one_is_wanted():
    assert seats_wanted(policy=Plan(first_seats=1), judged=RISKY, submissions=1) == 0


def test_one_more_worker_is_asked_where_enough_is_to_be_gained():
    assert settled(gain=GAIN_FLOOR, empty=False, proven=False)
    assert not settled(gain=GAIN_FLOOR * 1.01, empty=False, proven=True)


def test_an_empty_segment_is_believed_early_only_of_those_who_passed_gold():
    assert settled(gain=0.0, empty=True, proven=True)
    assert not settled(gain=0.0, empty=True, proven=False)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(2, 50))
def test_a_quorum_is_the_smallest_whole_number_of_votes_that_reaches_it(part, whole, n):
    quorum = Fraction(min(part, whole), whole)
    votes = votes_needed(quorum, n)
    assert votes >= 2
    assert votes >= quorum * n
    assert votes == 2 or (votes - 1) < quorum * n


def test_two_thirds_of_three_are_two():
    assert votes_needed(Fraction("2/3"), 3) == 2
    assert votes_needed(Fraction("1/2"), 1) == 1


def play(chances: np.ndarray, share: float) -> list[bool]:
    got: list[bool] = []
    for chance in chances:
        got.append(wants_gold(tasks=len(got), gold=sum(got), share=share, chance=float(chance)))
    return got


def test_early_golds_are_spread_evenly_over_the_first_tasks():
    rng = np.random.default_rng(5)
    runs = np.array([play(rng.random(WINDOW), 0.05) for _ in range(2000)])
    assert (runs.sum(axis=1) >= EARLY).all()
    assert np.abs(runs.mean(axis=0) - EARLY / WINDOW).max() < 0.05


def test_later_gold_keeps_to_the_share():
    rng = np.random.default_rng(6)
    assert np.mean(play(rng.random(4000), 0.1)[WINDOW:]) == pytest.approx(0.1, abs=0.02)


def test_a_share_of_nothing_is_no_gold_at_all():
    assert not any(play(np.zeros(50), 0.0))
