"""Experience counts for the program's own form, route, molecule and stage."""

from dataclasses import replace

import pytest

from allocator.diligence import effective_scores, experience, program_scores, technical_depth
from allocator.portfolio import DiligenceSettings, Policy
from tests.allocator.diligence.test_score import make

BROAD = (("capsule", 4), ("cream", 4), ("tablet", 4), ("vial", 4))
DEEP = (("tablet", 8),)
OTHER = (("vial", 8),)


@pytest.mark.parametrize(
    ("made", "value"), [(BROAD, 50), (DEEP, 100), (OTHER, 0), ((("tablet", 20),), 100)]
)
def test_depth_in_the_programs_own_form_counts_and_breadth_does_not(made, value):
    found = experience(make([("K1", "products_dosage_form", made)]), "K1", "P")
    assert found.value == pytest.approx(value)
    assert found.adjustment == pytest.approx(value - found.general)
    assert found.adjustment <= 0


def test_without_answers_nothing_changes():
    found = experience(make(), "K1", "P")
    assert (found.general, found.value, found.adjustment) == (None, None, 0)
    assert found.lines() == ()
    own = experience(make(scores={"technical_depth": 80.0}), "K1", "P")
    assert (own.general, own.value) == (80, 80)


def test_aspects_without_an_answer_are_neutral_beside_an_own_score():
    answers = [("K1", "products_dosage_form", OTHER)]
    found = experience(make(answers, {"technical_depth": 80.0}), "K1", "P")
    # form weighs 3 of 9 (route 1, molecule 3, stage 2 unknown), and experience counts half
    assert found.value == pytest.approx(80 - 0.5 * 100 * 3 / 9)
    whole = Policy(diligence=DiligenceSettings(experience_weight=1.0))
    found = experience(make(answers, {"technical_depth": 20.0}, whole), "K1", "P")
    assert found.value == 0


def test_other_answers_of_the_heading_stay():
    answers = [("K1", "products_dosage_form", OTHER), ("K1", "names_its_limits", True)]
    made = make(answers)
    assert effective_scores(made)["K1"]["technical_depth"] == pytest.approx(100)
    assert experience(made, "K1", "P").value == pytest.approx((3 * 0 + 1 * 100) / 4)


def test_what_a_cmo_disclaims_counts_as_no_experience():
    limits = ("K1", "expertise_ends", ("adc", "Tablet"))
    found = experience(make([limits, ("K1", "products_dosage_form", DEEP)]), "K1", "P")
    assert found.value == 0
    assert found.lines() == ("says that its expertise ends at dosage form tablet",)
    own = experience(make([limits], {"technical_depth": 90.0}), "K1", "P")
    assert own.value == pytest.approx(90 - 0.5 * 100 * 3 / 9)
    alone = experience(make([limits]), "K1", "P")
    assert (alone.general, alone.value, alone.adjustment) == (None, 0, 0)


def test_a_kind_that_the_program_does_not_say_is_left_out():
    made = make([("K1", "products_route", (("oral", 1),))])
    assert len(experience(made, "K1", "P").aspects) == 4
    blank = replace(made, programs={"P": replace(made.programs["P"], route="")})
    assert [a.question for a in experience(blank, "K1", "P").aspects] == [
        "products_dosage_form",
        "products_molecule_type",
        "products_stage",
    ]


def test_the_pairs_that_differ_are_listed_and_enter_the_programs_scores():
    made = make([("K1", "products_dosage_form", OTHER), ("K1", "accounts_seen", True)])
    twin = replace(made.programs["P"], program_id="Q")
    vial = replace(made.programs["P"], program_id="V", dosage_form="vial")
    made = replace(made, programs={"P": made.programs["P"], "Q": twin, "V": vial})
    assert technical_depth(made) == {("K1", "P"): 0.0, ("K1", "Q"): 0.0}
    assert program_scores(made, "K1", "P")["technical_depth"] == 0
    assert program_scores(made, "K1", "V")["technical_depth"] == 100
    assert program_scores(made, "K1", "P")["financial"] == 100
    assert program_scores(made, "K2", "P")["technical_depth"] is None


def test_experience_is_said_in_words():
    found = experience(make([("K1", "products_dosage_form", BROAD)]), "K1", "P")
    assert found.lines() == ("made 4 products of dosage form tablet",)
    found = experience(make([("K1", "products_dosage_form", OTHER)]), "K1", "P")
    assert found.lines() == ("made no products of dosage form tablet",)
