from __future__ import annotations

import csv
from dataclasses import fields as attributes
from importlib import resources
from pathlib import Path

import pytest

from allocator import defaults
from allocator.field_page import page
from allocator.fields import BY_DEFAULT, SCORES, TABLES, fields, template
from allocator.portfolio import Cmo, Line, Offer, Program, Tier
from allocator.values import PARSERS, parse

ROOT = Path(__file__).parents[2]


def test_every_table_has_fields_and_every_type_a_parser() -> None:
    for table in TABLES:
        assert fields(table)
        assert {field.type for field in fields(table).values()} <= set(PARSERS)
    with pytest.raises(KeyError):
        fields("prices")


def test_no_column_stands_twice() -> None:
    text = resources.files("allocator").joinpath("fields.csv").read_text()
    keys = [(row["table"], row["name"]) for row in csv.DictReader(text.splitlines())]
    assert len(keys) == len(set(keys))
    assert {table for table, _ in keys} == set(TABLES)


@pytest.mark.parametrize(
    ("table", "kind", "elsewhere"),
    [
        ("portfolio", Program, {"demand"}),
        ("cmos", Cmo, {"scores"}),
        ("lines", Line, {"days"}),
        ("offers", Offer, {"offer_id", "yield_", "assumed"}),
        ("tiers", Tier, set()),
    ],
)
def test_columns_and_domain_objects_have_the_same_names(
    table: str, kind: type, elsewhere: set[str]
) -> None:
    columns = set(fields(table)) - set(SCORES) - {"days_per_period", "yield"}
    assert columns == {a.name for a in attributes(kind)} - elsewhere


def test_defaults_of_columns_equal_those_of_the_domain_objects() -> None:
    for table, kind in (("portfolio", Program), ("cmos", Cmo), ("lines", Line)):
        usual = {a.name: a.default for a in attributes(kind)}
        for field in fields(table).values():
            if field.default and field.default != BY_DEFAULT:
                assert parse(field, field.default) == (usual[field.name], None), field.name


def test_columns_with_stated_defaults_are_those_of_the_defaults() -> None:
    stated = [f.name for f in fields("offers").values() if f.default == BY_DEFAULT]
    assert tuple(stated) == defaults.OFFER_COLUMNS
    assert list(defaults.offer_defaults("tablet", "mab", "phase1")) == stated


def test_the_page_of_the_tables_is_up_to_date() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == page(), (
        "write it anew: allocator/field_page.py says how"
    )


def test_the_page_names_every_column_and_default() -> None:
    text = page()
    for table in TABLES:
        assert f"## {table}.csv" in text
        for name in fields(table):
            assert f"`{name}`" in text
    assert "| sterile | 9, 14, 20 | 2,500,000 | 1.4 | 0.95 | 0.03 |" in text


def test_a_template_is_the_header_of_a_table() -> None:
    assert template("tiers") == "cmo_id,spend_from,rebate\n"
    assert template("portfolio", ("2027Q1",)).endswith("holding_cost_per_unit_month,2027Q1\n")


@pytest.mark.parametrize(
    ("form", "molecule", "kind"),
    [
        ("modified_release_tablet", "small_molecule", defaults.ORAL_SOLID),
        ("soft_gelatin_capsule", "peptide", defaults.ORAL_SOLID),
        ("lyophilised_vial", "mab", defaults.STERILE),
        ("prefilled_syringe", "mab", defaults.STERILE),
        ("injection_pen", "peptide", defaults.STERILE),
        ("suspension", "small_molecule", defaults.OTHER),
        ("drug_substance", "mab", defaults.BIOLOGIC),
        ("bulk_drug_substance", "vaccine", defaults.BIOLOGIC),
        ("drug_substance", "small_molecule", defaults.OTHER),
        ("api", "gene_therapy", defaults.BIOLOGIC),
        ("cream", "small_molecule", defaults.OTHER),
        ("capi", "mab", defaults.OTHER),
    ],
)
def test_forms_are_classed_and_what_is_not_known_is_other(
    form: str, molecule: str, kind: str
) -> None:
    assert defaults.form_class(form, molecule) == kind


def test_early_transfers_are_shorter_cheaper_and_without_filing() -> None:
    late = defaults.offer_defaults("tablet", "peptide", "commercial")
    early = defaults.offer_defaults("tablet", "peptide", "phase1")
    assert (late["transfer_months_mode"], late["transfer_cost"]) == (9.0, 1.0e6)
    assert (early["transfer_months_mode"], early["transfer_cost"]) == (4.5, 0.3e6)
    assert (late["ppq_batches"], late["filing_months"]) == (3, 4.0)
    assert (early["ppq_batches"], early["filing_months"]) == (0, 0.0)
