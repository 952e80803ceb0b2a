"""Knock-out gates on answers: read from the policy, failed with a reason, waived by name."""

from dataclasses import replace

import pytest

from allocator.diligence import answer_reasons
from allocator.eligibility import eligibility
from allocator.gates import gate_reasons
from allocator.policy import read_policy
from allocator.portfolio import AnswerGate, Gates, Policy
from tests.allocator.diligence.test_score import make


def read(tmp_path, text):
    (tmp_path / "policy.toml").write_text(text)
    return read_policy(tmp_path / "policy.toml")


def test_gates_are_read_in_their_long_and_short_forms(tmp_path):
    policy, found = read(
        tmp_path,
        """
        [gates.diligence]
        qa_can_stop_batch = true
        accounts_seen = "yes"
        stable_ownership = "no"
        last_inspection_class = ["nai", "VAI"]
        capa_in_time = { min = 90, required = true, reason = "standard 12" }
        deviation_days = { min = 1, max = 60 }
        """,
    )
    assert found == ()
    assert policy.gates.diligence == (
        AnswerGate("accounts_seen", expected=True),
        AnswerGate("capa_in_time", minimum=90.0, required=True, reason="standard 12"),
        AnswerGate("deviation_days", minimum=1.0, maximum=60.0),
        AnswerGate("last_inspection_class", one_of=("NAI", "VAI")),
        AnswerGate("qa_can_stop_batch", expected=True),
        AnswerGate("stable_ownership", expected=False),
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("qa_can_stop_bach = true", "there is no such question; did you mean 'qa_can_stop_batch'"),
        ("growth_terms = true", "a text answer cannot be a gate"),
        ("products_route = 3", "a counts answer cannot be a gate"),
        ("capa_in_time = 90", "90 is no gate; write { min = ... }"),
        ("capa_in_time = { }", "the gate asks for nothing; give min or max"),
        ("capa_in_time = { mni = 90 }", "the gate asks for nothing"),
        ("capa_in_time = { min = 90, max = 80 }", "is above max"),
        ("capa_in_time = { min = 'x' }", "'x' is not a number"),
        ("capa_in_time = { min = 9, raeson = 'x' }", "did you mean 'reason'?"),
        ("qa_can_stop_batch = 'perhaps'", "neither true nor false"),
        ("last_inspection_class = ['NAY']", "'NAY' is not known; use some of NAI, VAI, OAI"),
    ],
)
def test_wrong_gates_are_named(tmp_path, line, says):
    policy, found = read(tmp_path, f"[gates.diligence]\n{line}\n")
    assert policy.gates.diligence == ()
    assert any(says in str(finding) for finding in found), found
    assert all("gates.diligence" in finding.column for finding in found)


def test_how_answers_count_is_read(tmp_path):
    policy, found = read(
        tmp_path,
        "[diligence]\nstale_months = 12\nexperience_weight = 1\n"
        "[diligence.weights]\ncapa_in_time = 5\n",
    )
    assert found == ()
    assert policy.diligence.stale_months == 12
    assert policy.diligence.experience_weight == 1
    assert policy.diligence.weights == {"capa_in_time": 5}
    _, found = read(
        tmp_path,
        "[diligence]\nstale_moths = 12\n[diligence.weights]\ngrowth_terms = 1\ncapa = -1\n",
    )
    text = "\n".join(str(finding) for finding in found)
    assert "did you mean 'stale_months'" in text
    assert "growth_terms: there is no such scored question" in text
    assert "weights.capa: -1 is too low" in text


@pytest.mark.parametrize(
    ("gate", "question", "passing", "failing", "says"),
    [
        (
            AnswerGate("capa_in_time", minimum=90.0, reason="standard 12"),
            "capa_in_time",
            90.0,
            89.0,
            "gate capa_in_time: Corrective and preventive actions done in time: 89 percent,"
            " wanted at least 90 percent (standard 12)",
        ),
        (
            AnswerGate("deviation_days", maximum=60.0),
            "deviation_days",
            60.0,
            61.0,
            "gate deviation_days: Days to close a deviation: 61 days, wanted at most 60 days",
        ),
        (
            AnswerGate("qa_can_stop_batch", expected=True),
            "qa_can_stop_batch",
            True,
            False,
            "gate qa_can_stop_batch: QA can stop a batch on its own authority: no, wanted yes",
        ),
        (
            AnswerGate("stable_ownership", expected=False),
            "stable_ownership",
            False,
            True,
            "gate stable_ownership: Ownership stable for three years with no sale announced: yes,"
            " wanted no",
        ),
        (
            AnswerGate("last_inspection_class", one_of=("NAI", "VAI")),
            "last_inspection_class",
            "VAI",
            "OAI",
            "gate last_inspection_class: Class of the last inspection: OAI, wanted NAI or VAI",
        ),
    ],
)
def test_a_gate_knocks_out_and_says_why(gate, question, passing, failing, says):
    policy = Policy(gates=Gates(diligence=(gate,)))
    assert answer_reasons(make([("K1", question, passing)], policy=policy), "K1") == ()
    assert answer_reasons(make([("K1", question, failing)], policy=policy), "K1") == (says,)
    waived = Policy(gates=Gates(diligence=(gate,), waived=("K1",)))
    assert answer_reasons(make([("K1", question, failing)], policy=waived), "K1") == ()


def test_without_an_answer_only_a_required_gate_knocks_out():
    gate = AnswerGate("qa_can_stop_batch", expected=True)
    assert answer_reasons(make(policy=Policy(gates=Gates(diligence=(gate,)))), "K1") == ()
    gate = replace(gate, required=True)
    assert answer_reasons(make(policy=Policy(gates=Gates(diligence=(gate,)))), "K1") == (
        "gate qa_can_stop_batch: no answer to 'QA can stop a batch on its own authority'",
    )


def test_gates_on_answers_make_a_cmo_ineligible_and_are_among_its_reasons():
    gate = AnswerGate("qa_can_stop_batch", expected=True)
    policy = Policy(gates=Gates(diligence=(gate,)))
    made = make([("K1", "qa_can_stop_batch", False)], policy=policy)
    assert "CMO K1: gate qa_can_stop_batch" in " ".join(eligibility(made).reasons("P", "L1"))


def test_a_heading_from_answers_meets_the_gate_on_scores():
    policy = Policy(gates=Gates(min_scores={"quality_culture": 50.0}))
    assert gate_reasons(make(policy=policy), "K1") == ()
    assert gate_reasons(make([("K1", "qa_can_stop_batch", False)], policy=policy), "K1") == (
        "CMO K1 scores 0 by its answers for quality_culture, the policy asks for 50",
    )
    own = make([("K1", "qa_can_stop_batch", False)], {"quality_culture": 60.0}, policy)
    assert gate_reasons(own, "K1") == ()
