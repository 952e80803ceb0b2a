"""The plan that actions are taken from keeps the service level where one can be found."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

import cli
from allocator.growth.answers import four_answers
from allocator.growth.demand import Growth
from allocator.growth.job import notes_of
from allocator.growth.level import level_plan, unmet_programs
from allocator.growth.show import level_words
from allocator.portfolio import Cmo
from tests.allocator.growth.cases import ALL, case_of, one_line
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def dear_partners():
    """A fills its line at K today; J and I could take all of it, but cost more than the shortage.

    At twice the demand half of it is missing, twelve months at 1000 for a half: 6000.
    """
    return portfolio(
        quarters(4),
        [program("A", (100.0,) * 4)],
        [
            Cmo("I", "US", onboarding_cost=80_000.0),
            Cmo("J", "US", onboarding_cost=50_000.0),
            Cmo("K", "EU"),
        ],
        [
            line("LI", "I", 4, days=(400.0,) * 4),
            line("LJ", "J", 4, days=(400.0,) * 4),
            line("LK", "K", 4, days=(50.0,) * 4),
        ],
        [
            offer("A", "LI", days_per_batch=5.0, price_per_batch=10.0, qualified=True),
            offer("A", "LJ", days_per_batch=5.0, price_per_batch=10.0, qualified=True),
            offer("A", "LK", days_per_batch=5.0, price_per_batch=10.0, qualified=True),
        ],
        ALL,
    )


def kept(tables, multiplier, seconds=20.0):
    case = case_of(tables)
    situation = case.situation(Growth(multiplier))
    answers = four_answers(situation)
    return answers, level_plan(situation, answers, seconds)


def test_a_plan_that_keeps_the_level_costs_what_the_cheapest_such_plan_costs_more():
    """50,000 to engage J and twenty batches of 10 more a quarter, or less, for 6000 of shortage."""
    answers, level = kept(dear_partners(), 2.0)
    assert answers[3].plan["on_time_share"] == pytest.approx(0.5)
    assert level.keeps
    assert level.answer.name == "level"
    assert level.answer.plan["on_time_share"] == pytest.approx(1.0)
    assert level.costs_more == pytest.approx(50_000.0 + 400.0 - 6_000.0)
    assert level.figures()["unmet"] == []
    assert [row["engaged"] for row in level.answer.plan["cmos"] if row["cmo_id"] == "I"] == [False]


def test_the_last_answer_is_kept_where_it_keeps_the_level():
    answers, level = kept(dear_partners(), 1.0)
    assert level.answer is answers[3]
    assert (level.keeps, level.excluded, level.costs_more) == (True, False, 0.0)
    answers, level = kept(one_line(), 0.0)  # nothing is demanded, so nothing is late
    assert level.answer is answers[3]
    assert level.keeps


def test_what_no_plan_keeps_is_told_from_what_was_not_found():
    answers, level = kept(one_line(), 3.0)
    assert level.answer is answers[3]
    assert not level.keeps
    assert level.excluded
    unmet = unmet_programs(level.answer)
    assert unmet == level.figures()["unmet"]
    assert unmet
    assert not any(row["given_up"] for row in unmet)
    answers, level = kept(dear_partners(), 2.0, seconds=0.0)
    assert level.answer is answers[3]
    assert (level.keeps, level.excluded) == (False, False)


def test_words_on_the_plan_behind_the_actions():
    _, level = kept(one_line(), 3.0, seconds=5.0)
    found = level.figures() | {"answer": level.answer.name}
    assert level_words({"actions": found}).startswith("no plan keeps 100.0 % on time")
    found["level_excluded"] = False
    assert level_words({"actions": found}).startswith("no plan was found that keeps 100.0 %")
    found |= {"keeps_level": True, "on_time_share": 1.0}
    assert level_words({"actions": found}) == "it keeps 100.0 % on time: 100.0 %"
    found |= {"answer": "level", "costs_more": 1234.0}
    assert "keeping it costs 1,234 more than the last answer" in level_words({"actions": found})


def test_a_policy_that_asks_for_secure_is_told_that_no_answer_is(tmp_path):
    case = case_of(one_line())
    assert notes_of(case) == []
    assert notes_of(replace(case, sourcing="secure"))
    asking = replace(case.portfolio, policy=replace(case.portfolio.policy, sourcing="secure"))
    assert notes_of(replace(case, portfolio=asking))
    assert notes_of(replace(case, portfolio=asking, sourcing="single")) == []
    shutil.copytree("instances/tiny", tmp_path / "tables")
    policy = tmp_path / "tables" / "policy.toml"
    policy.write_text(policy.read_text("utf-8").replace('"free"', '"secure"'), "utf-8")
    words = ["capacity", str(tmp_path / "tables"), "--demand", "1", "--solver", "highs"]
    done = CliRunner().invoke(cli.main, [*words, "--threads", "1"])
    assert done.exit_code == 0, done.output
    assert "Note: Sourcing is secure" in done.output
