"""Knock-out gates on answers, and how they stand in policy.toml.

[gates.diligence]
qa_can_stop_batch = true
last_inspection_class = ["NAI", "VAI"]
capa_in_time = { min = 90, required = true, reason = "corporate quality standard 12" }
"""

from __future__ import annotations

from allocator.diligence.catalogue import NUMBERS, Question, questions
from allocator.diligence.score import Given, answers_of
from allocator.diligence.wording import amount, answer_words
from allocator.findings import did_you_mean
from allocator.portfolio import Answer, AnswerGate, DiligenceSettings, Portfolio
from allocator.settings import Section

#: Type of question -> keys that its gate may have beside `required` and `reason`.
KEYS = {"yes_no": ("yes",), "class": ("one_of",)} | dict.fromkeys(NUMBERS, ("min", "max"))


def read_diligence(section: Section) -> DiligenceSettings:
    """The policy's table `[diligence]`; problems go to the section's findings."""
    usual = DiligenceSettings()
    weights = section.section("weights")
    given = {name: weights.number(name, 1.0) for name in weights.table}
    for name in given:
        if name not in questions() or not questions()[name].scored:
            weights.add(name, "there is no such scored question", _meant(name))
    settings = DiligenceSettings(
        stale_months=section.number("stale_months", usual.stale_months, low_open=True),
        experience_weight=section.number("experience_weight", usual.experience_weight, 0.0, 1.0),
        weights=given,
    )
    section.finish()
    return settings


def read_gates(section: Section) -> tuple[AnswerGate, ...]:
    """The policy's table `[gates.diligence]`; problems go to the section's findings."""
    gates = []
    for name in section.table:
        section.has(name)
        question = questions().get(name)
        if question is None:
            section.add(name, "there is no such question", _meant(name))
        elif question.type not in KEYS:
            section.add(name, f"a {question.type} answer cannot be a gate", "delete the key")
        else:
            gates.append(_gate(section, question))
    return tuple(sorted((g for g in gates if g is not None), key=lambda g: g.question))


def _meant(name: str) -> str:
    return did_you_mean(name, questions(), "docs/diligence.md lists the questions")


def _gate(section: Section, question: Question) -> AnswerGate | None:
    """A gate from its table, or from its short form: true, false, or a list of words."""
    name, value = question.question, section.table[question.question]
    keys = KEYS[question.type]
    if isinstance(value, bool | str) and keys == ("yes",):
        told = {"yes": True, "no": False}.get(value) if isinstance(value, str) else value
        value = {"yes": value if told is None else told}
    elif isinstance(value, list | str) and keys == ("one_of",):
        value = {"one_of": value}
    if not isinstance(value, dict):
        section.add(name, f"{value!r} is no gate", f"write {{ {keys[0]} = ... }}")
        return None
    inside = Section(value, section.source, section.found, f"{section.name}.{name}", section.place)
    before = len(section.found)
    if not any(key in value for key in keys):
        inside.add("", "the gate asks for nothing", f"give {' or '.join(keys)}")
    words = {word.casefold(): word for word in question.words}
    asked = inside.texts("one_of") if "one_of" in keys else ()
    for word in asked:
        if word.casefold() not in words:
            remedy = did_you_mean(word, question.words, f"use some of {', '.join(question.words)}")
            inside.add("one_of", f"{word!r} is not known", remedy)
    gate = AnswerGate(
        question=name,
        minimum=inside.number("min", 0.0) if "min" in keys and "min" in value else None,
        maximum=inside.number("max", 0.0) if "max" in keys and "max" in value else None,
        expected=inside.flag("yes", True) if "yes" in keys else None,
        one_of=tuple(words.get(word.casefold(), word) for word in asked),
        required=inside.flag("required", False),
        reason=inside.text("reason"),
    )
    if gate.minimum is not None and gate.maximum is not None and gate.minimum > gate.maximum:
        inside.add("min", "is above max", "no answer could pass")
    inside.finish()
    return gate if len(section.found) == before else None


def answer_reasons(portfolio: Portfolio, cmo_id: str) -> tuple[str, ...]:
    """Every gate on answers that a CMO fails, in words; none where the policy waives it by name."""
    gates = portfolio.policy.gates
    if not gates.diligence or cmo_id in gates.waived:
        return ()
    given = answers_of(portfolio, cmo_id)
    return tuple(r for gate in gates.diligence if (r := failure(gate, given)) is not None)


def failure(gate: AnswerGate, given: Given) -> str | None:
    """Why the answers fail a gate, in words; None where they pass."""
    question, answer = questions()[gate.question], given.get(gate.question)
    because = f" ({gate.reason})" if gate.reason else ""
    if answer is None:
        if not gate.required:
            return None
        return f"gate {gate.question}: no answer to '{question.text}'{because}"
    wanted = _wanted(gate, question, answer)
    if wanted is None:
        return None
    return f"gate {gate.question}: {answer_words(question, answer)}, wanted {wanted}{because}"


def _wanted(gate: AnswerGate, question: Question, answer: Answer) -> str | None:
    """What the gate wants where the answer is not it."""
    value = answer.value
    if isinstance(value, bool):
        wanted = "yes" if gate.expected else "no"
        return wanted if gate.expected is not None and value is not gate.expected else None
    if isinstance(value, float):
        if gate.minimum is not None and value < gate.minimum:
            return f"at least {amount(question, gate.minimum)}"
        if gate.maximum is not None and value > gate.maximum:
            return f"at most {amount(question, gate.maximum)}"
        return None
    return " or ".join(gate.one_of) if gate.one_of and value not in gate.one_of else None
