"""The table of questions as docs/diligence.md prints it."""

from __future__ import annotations

from allocator.diligence.catalogue import Question, questions

HEAD = (
    "| question | what is asked | answer | 0 points | 100 points | weight | why |",
    "|---|---|---|---|---|---|---|",
)


def question_tables() -> str:
    """Markdown: a table of questions under each heading, in the order of questions.csv."""
    parts: list[str] = []
    heading = ""
    for question in questions().values():
        if question.heading != heading:
            heading = question.heading
            parts += ["", f"### {heading}", "", *HEAD]
        parts.append(_row(question))
    return "\n".join(parts[1:]) + "\n"


def _row(question: Question) -> str:
    low, high = _ends(question)
    kind = question.type.replace("_", " or ")
    answer = f"{kind}: {question.unit}" if question.unit else kind
    if question.unit.startswith(kind):
        answer = question.unit
    weight = f"{question.weight:g}" if question.scored else "not scored"
    cells = (f"`{question.question}`", question.text, answer, low, high, weight, question.why)
    return f"| {' | '.join(cells)} |"


def _ends(question: Question) -> tuple[str, str]:
    """What earns no points, and what earns all."""
    if not question.scored:
        return "", ""
    if question.type == "class":
        ranked = sorted(question.words, key=lambda word: question.words[word])
        middle = ", ".join(f"{w} {question.words[w]:g}" for w in ranked[1:-1])
        return f"{ranked[0]} ({middle})", ranked[-1]
    if question.low is None or question.high is None:
        ends = ("no", "yes")
    else:
        ends = (f"{question.low:g}", f"{question.high:g}")
    return ends if question.direction == "more" else ends[::-1]
