"""diligence.csv: every answer typed by its question, every fault found at its place."""

from dataclasses import replace

import pytest

from allocator.diligence.answers import age_months, is_stale, typed
from allocator.diligence.catalogue import questions
from allocator.portfolio import Answer, DiligenceSettings
from allocator.read import inspect
from tests.allocator.diligence.folder import write
from tests.allocator.portfolios import quarters


def findings(tmp_path, answers, policy=None):
    portfolio, found = inspect(write(tmp_path, answers, policy))
    return portfolio, [str(f) for f in found if f.file == "diligence.csv"]


@pytest.mark.parametrize(
    ("question", "text", "value"),
    [
        ("qa_can_stop_batch", "Yes", True),
        ("qa_can_stop_batch", "no", False),
        ("extra_shifts", "2", 2.0),
        ("capa_in_time", "95", 95.0),
        ("capa_in_time", "95 %", 95.0),
        ("deviation_days", "31.5", 31.5),
        ("current_ratio", "1.2", 1.2),
        ("last_inspection_class", "nai", "NAI"),
        ("products_dosage_form", "Tablet=12; capsule : 3;", (("capsule", 3), ("tablet", 12))),
        ("products_dosage_form", "lyophilized vial=2", (("lyophilized_vial", 2),)),
        ("products_dosage_form", "none=0", (("none", 0),)),
        ("products_route", "oral=4", (("oral", 4),)),
        ("expertise_ends", "adc; vial;adc", ("adc", "vial")),
        ("growth_terms", "fee; 6 months", "fee; 6 months"),
    ],
)
def test_answers_are_typed_by_their_question(question, text, value):
    assert typed(questions()[question], text)[0] == value


@pytest.mark.parametrize(
    ("question", "text", "says"),
    [
        ("qa_can_stop_batch", "perhaps", "neither yes nor no; write yes or no"),
        ("extra_shifts", "1.5", "not a whole number"),
        ("extra_shifts", "-1", "is below 0"),
        ("capa_in_time", "120", "is above 100"),
        ("deviation_days", "1,000", "thousands separator; write 1000"),
        ("last_inspection_class", "NAII", "did you mean 'NAI'?"),
        ("last_inspection_class", "good", "use one of NAI, VAI, OAI"),
        ("products_dosage_form", "tablet", "write it like tablet=12;capsule=3"),
        ("products_dosage_form", "tablet=many", "write it like tablet=12;capsule=3"),
        ("products_dosage_form", "=3", "write it like tablet=12;capsule=3"),
        ("products_dosage_form", "tablet=1;Tablet=2", "stands there twice"),
        ("products_molecule_type", "small_molecul=1", "did you mean 'small_molecule'?"),
        ("products_stage", "launch=1", "use some of preclinical"),
    ],
)
def test_wrong_answers_are_named_with_a_remedy(tmp_path, question, text, says):
    portfolio, found = findings(tmp_path, f'K1,{question},"{text}",audit,2026-09-01\n')
    assert portfolio is None
    assert len(found) == 1
    assert found[0].startswith("diligence.csv:2 answer: ")
    assert says in found[0]


def test_odd_answers_are_warned_of_and_kept(tmp_path):
    rows = (
        "K1,capa_in_time,0.95,audit,2026-09-01\n"
        "K1,products_dosage_form,tablett=3,audit,2026-09-01\n"
    )
    portfolio, found = findings(tmp_path, rows)
    assert [a.value for a in portfolio.diligence] == [0.95, (("tablett", 3),)]
    assert "0.95 is at most 1, in percent; write 95 if that share is meant" in found[0]
    assert "did you mean 'tablet'?" in found[1]


def test_unknown_ids_and_duplicates_are_found(tmp_path):
    rows = (
        "K1,qa_can_stop_batch,yes,,2026-09-01\n"
        "K1,qa_can_stop_batch,no,,2026-09-01\n"
        "K11,qa_can_stop_batch,yes,,2026-09-01\n"
        "K1,qa_can_stop_bach,yes,,2026-09-01\n"
        "K1,zzz,yes,,2026-09-01\n"
        "K1,QA can stop batch,yes,,2026-09-01\n"
        ",capa_in_time,90,,2026-09-01\n"
        "K1,capa_in_time,90,,1st May\n"
    )
    portfolio, found = findings(tmp_path, rows)
    text = "\n".join(found)
    assert portfolio is None
    assert "diligence.csv:3 question: K1, qa_can_stop_batch stands already in line 2" in text
    assert "diligence.csv:4 cmo_id: there is no 'K11' in cmos.csv; did you mean 'K1'?" in text
    assert "diligence.csv:5 question: there is no question 'qa_can_stop_bach'" in text
    assert "did you mean 'qa_can_stop_batch'?" in text
    assert "'zzz'; docs/diligence.md lists the questions" in text
    assert "diligence.csv:7 question: K1, qa_can_stop_batch stands already in line 2" in text
    assert "diligence.csv:8 cmo_id: is blank" in text
    assert "diligence.csv:9 as_of: '1st May' is not a date" in text
    assert len(found) == 7


def test_a_blank_answer_is_no_answer_and_no_fault(tmp_path):
    portfolio, found = findings(tmp_path, "K1,capa_in_time,,questionnaire,2026-09-01\n")
    assert portfolio.diligence == ()
    assert found == []


def test_answers_stand_in_the_order_of_their_ids(tmp_path):
    rows = [
        "K2,capa_in_time,90,,2026-09-01",
        "K1,deviation_days,30,,2026-09-01",
        "K1,capa_in_time,80,,2026-09-01",
    ]
    one = inspect(write(tmp_path, "\n".join(rows) + "\n"))[0]
    other = inspect(write(tmp_path, "\n".join(reversed(rows)) + "\n"))[0]
    assert one.diligence == other.diligence
    assert [(a.cmo_id, a.question) for a in one.diligence] == [
        ("K1", "capa_in_time"),
        ("K1", "deviation_days"),
        ("K2", "capa_in_time"),
    ]


def test_without_the_file_nothing_is_answered(tmp_path):
    assert findings(tmp_path, None)[0].diligence == ()


def test_stale_undated_and_future_answers_are_warned_of_once_per_cmo(tmp_path):
    rows = (
        "K1,capa_in_time,90,,2025-06-30\n"
        "K1,deviation_days,30,,\n"
        "K1,update_days,7,,2025-07-01\n"
        "K2,capa_in_time,90,,2028-01-01\n"
    )
    portfolio, found = findings(tmp_path, rows)
    assert portfolio is not None
    assert found[0].startswith("diligence.csv as_of: 1 answer of K2 dated after 2027Q1")
    assert found[1].startswith("diligence.csv as_of: 2 answers of K1 older than 18 months before")
    assert "capa_in_time, deviation_days" in found[1]
    longer = "[diligence]\nstale_months = 30\n"
    assert "1 answer of K1 older than 30 months" in findings(tmp_path, rows, longer)[1][0]


def test_an_age_counts_from_the_first_day_of_the_first_period():
    period, settings = quarters(1)[0], DiligenceSettings()
    answer = Answer("K1", "capa_in_time", 90.0, as_of="2025-07-01")
    assert age_months(answer, period) == 18
    assert not is_stale(answer, period, settings)
    assert is_stale(replace(answer, as_of="2025-06-30"), period, settings)
    assert is_stale(replace(answer, as_of=""), period, settings)
    assert age_months(replace(answer, as_of="2027-02-16"), period) == -1.5


def test_answers_against_the_inspection_record_are_warned_of(tmp_path):
    rows = (
        "K1,critical_findings_fda,1,,2026-09-01\n"
        "K2,last_inspection_class,NAI,,2026-09-01\n"
        "K3,last_inspection_class,NAI,,2026-09-01\n"
    )
    none = "".join(f"K3,critical_findings_{a},0,,2026-09-01\n" for a in ("fda", "ema", "mhra"))
    folder = write(tmp_path, rows + none)
    cmos = (folder / "cmos.csv").read_text().replace("K3,IN,,,,", "K3,IN,,1,,")
    (folder / "cmos.csv").write_text(cmos)
    found = [str(f) for f in inspect(folder)[1] if f.file == "diligence.csv"]
    assert found.pop() == (
        "diligence.csv: K3: 0 critical findings, but 1 in cmos.csv;"
        " correct one of the two; gates read cmos.csv"
    )
    assert found == [
        "diligence.csv: K1: 1 critical findings, but 0 in cmos.csv;"
        " correct one of the two; gates read cmos.csv",
        "diligence.csv: K2: last inspection NAI, but VAI in cmos.csv;"
        " correct one of the two; gates read cmos.csv",
    ]
