"""diligence.csv: each answer typed by its question, with every problem found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from allocator.diligence.catalogue import NUMBERS, Question, questions, vocabulary
from allocator.fields import Field
from allocator.findings import Finding, Severity, closest, did_you_mean, fold
from allocator.portfolio import Answer, Cmo, DiligenceSettings, Period, Portfolio
from allocator.tables import Row, Table
from allocator.values import Problem, parse

#: A share written where a percentage belongs: 0.95 for 95.
SHARE = 1.0

Value = bool | float | str | tuple[str, ...] | tuple[tuple[str, int], ...]
Typed = tuple[Value | None, Problem | None]


def read_answers(table: Table) -> tuple[tuple[Answer, ...], tuple[Finding, ...]]:
    """Answers of diligence.csv in the order of their ids, and what is wrong with them.

    Duplicate rows and unknown CMOs are the business of `allocator.links`. A blank answer is a
    question still open: neither an answer nor a fault.
    """
    known = questions()
    folded = {fold(name): name for name in known}
    answers: dict[tuple[str, str], Answer] = {}
    found: list[Finding] = []

    def add(row: Row, column: str, problem: Problem) -> None:
        severity: Severity = "warning" if problem.warning else "error"
        found.append(Finding(table.file, row.line, column, problem.what, problem.remedy, severity))

    first: dict[tuple[str, str], int] = {}
    for row in table.rows:
        cmo_id, given = row.values["cmo_id"], row.values["question"]
        if not isinstance(cmo_id, str) or not isinstance(given, str):
            continue  # the table's own findings say so
        name = folded.get(fold(given))
        if name is None:
            add(row, "question", _unknown(given))
            continue
        line = first.setdefault((cmo_id, name), row.line)
        if line != row.line and given != name:  # two spellings of one question
            what = f"{cmo_id}, {name} stands already in line {line}"
            add(row, "question", Problem(what, "delete one of the rows"))
        text = str(row.values["answer"] or "")
        if not text:
            continue
        value, problem = typed(known[name], text)
        if problem is not None:
            add(row, "answer", problem)
        if value is not None:
            answers[cmo_id, name] = Answer(
                cmo_id, name, value, str(row.values["source"] or ""), str(row.values["as_of"] or "")
            )
    return tuple(answers[key] for key in sorted(answers)), tuple(found)


def _unknown(given: str) -> Problem:
    otherwise = "docs/diligence.md lists the questions"
    return Problem(f"there is no question {given!r}", did_you_mean(given, questions(), otherwise))


def typed(question: Question, text: str) -> Typed:
    """An answer's value; None with an error, and perhaps a warning beside a value."""
    if question.type == "yes_no":
        value, problem = parse(_field("boolean"), text)
        return (value if isinstance(value, bool) else None), problem
    if question.type in NUMBERS:
        return _number(question, text)
    if question.type == "class":
        return _class(question, text)
    if question.type == "counts":
        return _counts(question, text)
    if question.type == "list":
        return tuple(dict.fromkeys(p for part in text.split(";") if (p := part.strip()))), None
    return text, None


def _field(kind: str, unit: str = "", high: float | None = None) -> Field:
    return Field(
        "diligence", "answer", kind, unit, False, "", 0.0, high, False, False, (), {}, False, ""
    )


def _number(question: Question, text: str) -> Typed:
    percent = question.type == "percent"
    plain = text.rstrip("%").strip() if percent else text
    kind = "integer" if question.type == "count" else "number"
    value, problem = parse(_field(kind, question.unit, 100.0 if percent else None), plain)
    if problem is not None or not isinstance(value, int | float):
        return None, problem
    if percent and 0.0 < value <= SHARE and not text.endswith("%"):
        remedy = f"write {100 * value:g} if that share is meant, or {value:g}% if it is not"
        return float(value), Problem(f"{text} is at most 1, in percent", remedy, warning=True)
    return float(value), None


def _class(question: Question, text: str) -> Typed:
    meant = {fold(word): word for word in question.words}.get(fold(text))
    if meant is not None:
        return meant, None
    words = ", ".join(question.words)
    remedy = did_you_mean(text, question.words, f"use one of {words}")
    return None, Problem(f"{text!r} is not one of {words}", remedy)


def _counts(question: Question, text: str) -> Typed:
    """Names with how many each: `tablet=12;capsule=3`. Also `tablet: 12`."""
    words, others = vocabulary(question.column)
    counts: dict[str, int] = {}
    problem: Problem | None = None
    for part in (p.strip() for p in text.split(";")):
        if not part:
            continue
        name, mark, number = part.replace(":", "=").rpartition("=")
        value, wrong = parse(_field("integer", "a whole number of products"), number.strip())
        if not mark or not name.strip() or wrong is not None or not isinstance(value, int):
            return None, Problem(
                f"{part!r} is not a name with a number", "write it like tablet=12;capsule=3"
            )
        key, wrong = _name(name.strip(), words, others)
        problem = wrong or problem
        if problem is not None and not problem.warning:
            return None, problem
        if key in counts:
            return None, Problem(f"{key} stands there twice", "add the two numbers up")
        counts[key] = value
    return tuple(sorted(counts.items())), problem


def _name(name: str, words: Sequence[str], others: bool) -> tuple[str, Problem | None]:
    """A name as the tables spell it; other words only where the vocabulary is open."""
    spelt = {fold(word): word for word in words}.get(fold(name))
    if spelt is not None:
        return spelt, None
    near = closest(name, words)
    if not others:
        remedy = did_you_mean(name, words, f"use some of {', '.join(words)}")
        return name, Problem(f"{name!r} is not known", remedy)
    snake = "_".join(name.casefold().replace("-", " ").replace("_", " ").split())
    if near is None or len(name) < 4:
        return snake, None
    what, remedy = f"{name!r} is not one of the usual words", f"did you mean {near!r}?"
    return snake, Problem(what, remedy, warning=True)


def age_months(answer: Answer, period: Period) -> float | None:
    """Months from the day of an answer to the start of `period`, negative after it; None: no day.

    Days count as parts of a month of 30.
    """
    if not answer.as_of:
        return None
    year, month, day = (int(part) for part in answer.as_of.split("-"))
    return period.first_month - (12 * year + month - 1) - (day - 1) / 30.0


def is_stale(answer: Answer, period: Period, settings: DiligenceSettings) -> bool:
    """Whether an answer is older than the policy allows, or of no known day."""
    age = age_months(answer, period)
    return age is None or age > settings.stale_months


def answer_findings(portfolio: Portfolio) -> tuple[Finding, ...]:
    """Warnings on the answers of a portfolio: too old, or against the inspection record."""
    answers, settings = portfolio.diligence, portfolio.policy.diligence
    ages = _age_findings(answers, portfolio.periods, settings)
    return ages + _record_findings(answers, portfolio.cmos)


def _age_findings(
    answers: Iterable[Answer], periods: Sequence[Period], settings: DiligenceSettings
) -> tuple[Finding, ...]:
    """One warning per CMO whose answers are stale, one for those given after the first period."""
    stale: dict[str, list[str]] = {}
    late: dict[str, list[str]] = {}
    for answer in answers:
        age = age_months(answer, periods[0])
        if is_stale(answer, periods[0], settings):
            stale.setdefault(answer.cmo_id, []).append(answer.question)
        elif age is not None and age < -periods[0].months:
            late.setdefault(answer.cmo_id, []).append(answer.question)
    months = f"{settings.stale_months:g} months before {periods[0].label}"
    return tuple(
        [
            _warning(cmo, names, f"older than {months} or undated", "ask again, or date them")
            for cmo, names in sorted(stale.items())
        ]
        + [
            _warning(cmo, names, f"dated after {periods[0].label}", "check the dates")
            for cmo, names in sorted(late.items())
        ]
    )


def _warning(cmo_id: str, names: Sequence[str], what: str, remedy: str) -> Finding:
    some = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    count = f"{len(names)} answer{'s' if len(names) > 1 else ''} of {cmo_id} {what}: {some}"
    return Finding("diligence.csv", None, "as_of", count, remedy, "warning")


def _record_findings(answers: Iterable[Answer], cmos: Mapping[str, Cmo]) -> tuple[Finding, ...]:
    """Answers that contradict the inspection record of cmos.csv, as warnings."""
    by_cmo: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        by_cmo.setdefault(answer.cmo_id, {})[answer.question] = answer
    found = []
    agencies = ("fda", "ema", "mhra")
    for cmo_id, given in sorted(by_cmo.items()):
        cmo = cmos[cmo_id]
        own = given.get("last_inspection_class")
        if own is not None and cmo.last_inspection and own.value != cmo.last_inspection:
            what = f"{cmo_id}: last inspection {own.value}, but {cmo.last_inspection} in cmos.csv"
            found.append(what)
        counts = [given.get(f"critical_findings_{agency}") for agency in agencies]
        total = sum(float(a.value) for a in counts if a and isinstance(a.value, float))
        told = cmo.critical_findings
        complete = all(a is not None for a in counts)
        if told is not None and (total > told or (complete and total != told)):
            found.append(f"{cmo_id}: {total:g} critical findings, but {told} in cmos.csv")
    remedy = "correct one of the two; gates read cmos.csv"
    return tuple(Finding("diligence.csv", None, "", what, remedy, "warning") for what in found)
