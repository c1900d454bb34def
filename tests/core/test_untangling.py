"""Who is who after an event, where clusters and workers say different things."""

from __future__ import annotations

import numpy as np

from review.core.untangling import likeliest

NEVER = np.inf


def test_where_a_second_cluster_on_an_object_ends_nobody_has_to_take_its_place():
    # Two and four follow the first two objects; the third way in lay on the first of them, too, and ends.
    votes = np.array([[2.2, 0, 0], [0, 4.4, 1.1], [1.1, 1.1, 0]])
    motion = np.array([[8.0, 17.7, NEVER], [21.2, 7.4, 13.2], [7.8, 19.5, NEVER]])
    assert likeliest(votes, motion) == [(0, 0), (1, 1)]


def test_one_against_one_is_decided_by_the_courses():
    votes = np.full((2, 2), 1.1)
    assert likeliest(votes, np.array([[9.0, 2.0], [2.0, 9.0]])) == [(0, 1), (1, 0)]
    assert likeliest(votes, np.array([[2.0, 9.0], [9.0, 2.0]])) == [(0, 0), (1, 1)]
