"""Any keys become names that any database takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.records.column_names import column_names

# Few letters, so that many keys have one name.
KEYS = st.sets(st.one_of(st.text(), st.text("aA_ -é1Ж"), st.text("aB", min_size=60)))


def names(*keys: str, taken: tuple[str, ...] = ()) -> list[str]:
    """Name columns, and return their names in the order of the keys given."""
    named = column_names(keys, prefix="custom", taken=taken)
    return [named[key] for key in keys]


@pytest.mark.parametrize("keys", [("CAC", "cac"), ("cac", "CAC")])
def test_a_name_with_a_hash_is_the_same_in_every_version(keys: tuple[str, str]) -> None:
    named = dict(zip(keys, names(*keys), strict=True))
    assert named == {"CAC": "custom_cac", "cac": "custom_cac_e4bc7fd4"}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("CAC", "cac"),
        ("utmCampaign", "utm_campaign"),
        ("HTTPServer", "http_server"),
        ("Health-Score (new)", "health_score_new"),
        ("2fa", "2fa"),
        ('a "quoted"\nkey', "a_quoted_key"),
        ("prénom", "prenom"),
        ("pre\u0301nom", "prenom"),
        ("cost→benefit", "cost_benefit"),
        ("a" * 55, "a" * 55),
    ],
)
def test_a_name_is_the_key_in_snake_case(key: str, expected: str) -> None:
    assert names(key) == [f"custom_{expected}"]


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("", ""),
        ("Дата 1", "_1"),
        ("a" * 56, "_" + "a" * 46),
        ("A" * 100_000, "_" + "a" * 46),
    ],
)
def test_a_hash_stands_for_what_a_name_cannot_hold(key: str, kept: str) -> None:
    (name,) = names(key)
    assert re.fullmatch(rf"custom{kept}_[0-9a-f]{{8}}", name)


def test_a_hash_that_is_a_key_of_its_own_takes_another() -> None:
    _, hashed = names("CAC", "cac")
    squatter = f" {hashed.removeprefix('custom_')}"
    assert names(squatter) == [hashed]
    assert len({*names("CAC", squatter, "cac")}) == 3


def test_other_columns_keep_their_names() -> None:
    (name,) = names("cac", taken=("Custom_CAC",))
    assert re.fullmatch(r"custom_cac_[0-9a-f]{8}", name)


@given(KEYS)
def test_names_are_unique_whatever_the_keys(keys: set[str]) -> None:
    named = column_names(keys, prefix="custom", taken=())
    assert named.keys() == keys
    assert len(set(named.values())) == len(keys)
    for key, name in named.items():
        assert re.fullmatch(r"custom(_[a-z0-9]+)+", name)
        assert len(name) <= 63
        if has := re.search("[A-Za-z0-9]", key[:40]):
            assert has[0].lower() in name.removeprefix("custom_")


@given(KEYS, KEYS)
def test_a_name_depends_on_no_key_that_it_does_not_meet(
    keys: set[str], more: set[str]
) -> None:
    alone = {key: names(key)[0] for key in keys | more}
    before = column_names(keys, prefix="custom", taken=())
    after = column_names(keys | more, prefix="custom", taken=())
    for key in keys:
        if list(alone.values()).count(alone[key]) == 1:
            assert before[key] == after[key] == alone[key]
