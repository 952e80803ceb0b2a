"""How demand grows, and what is said of wrong ids."""

from __future__ import annotations

import pytest

from allocator.errors import Usage
from allocator.growth.demand import Growth, check_growth, grown
from tests.allocator.growth.cases import one_line


def test_the_most_specific_factor_stands():
    tables = one_line()
    growth = Growth(2.0, {"A": 3.0}, {"tablet": 1.5})
    assert growth.factor(tables.programs["A"]) == 3.0
    assert growth.factor(tables.programs["B"]) == 1.5
    assert Growth(2.0).factor(tables.programs["B"]) == 2.0


def test_growth_arrives_from_a_period_on_in_equal_steps():
    tables = one_line()
    growth = Growth(3.0, since="2027Q2", ramp=2)
    assert growth.factors(tables, tables.programs["A"]) == (1.0, 2.0, 3.0, 3.0)
    assert grown(tables, growth).programs["A"].demand == (50.0, 100.0, 150.0, 150.0)
    assert Growth(3.0).factors(tables, tables.programs["A"]) == (3.0,) * 4


def test_a_period_may_be_written_in_small_letters():
    assert check_growth(one_line(), Growth(since=" 2027q3 ")).since == "2027Q3"


@pytest.mark.parametrize(
    ("growth", "words"),
    [
        (Growth(programs={"a": 2.0}), "there is no program 'a'; did you mean 'A'?"),
        (Growth(forms={"tablets": 2.0}), "there is no dosage form 'tablets'; did you mean"),
        (Growth(since="2027Q5"), "there is no period '2027Q5'; did you mean '2027Q4'?"),
        (Growth(since="soon"), "there is no period 'SOON'; use 2027Q1, 2027Q2"),
        (Growth(-1.0), "demand: -1 is no multiplier of demand"),
        (Growth(programs={"A": float("nan")}), "A: nan is no multiplier"),
        (Growth(ramp=-1), "ramp: -1 periods; give one from 1 (at once) to 4"),
        (Growth(ramp=5), "to 4, the periods from 2027Q1 on, so that all of the growth arrives"),
        (Growth(since="2027Q3", ramp=3), "to 2, the periods from 2027Q3 on"),
    ],
)
def test_wrong_growth_is_refused_in_words(growth, words):
    with pytest.raises(Usage) as error:
        check_growth(one_line(), growth)
    assert words in str(error.value)


def test_one_shape_at_another_multiplier():
    growth = Growth(2.0, {"A": 3.0}, {"tablet": 1.5}, "2027Q2", 2).scaled(4.0)
    assert growth == Growth(4.0, {}, {}, "2027Q2", 2)
