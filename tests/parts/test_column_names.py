"""Any keys become names that any database takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.records.column_names import column_names
from tap_chartmogul_customers.records.columns import COLUMNS

CYRILLIC = (
    "Средняя стоимость привлечения одного нового клиента в рублях за прошедший квартал"
)

# Few letters, so that many keys have one name.
KEYS = st.sets(st.one_of(st.text(), st.text("aA_ -é1Ж"), st.text("aB", min_size=60)))


def names(*keys: str, taken: tuple[str, ...] = ()) -> list[str]:
    """Name columns, and return their names in the order of the keys given."""
    named = column_names(keys, prefix="custom", taken=taken)
    return [named[key] for key in keys]


def test_a_name_with_a_hash_is_the_same_in_every_version() -> None:
    assert names("CAC", "cac") == ["custom_cac", "custom_cac_e4bc7fd4"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("cac", "custom_cac"),
        ("CAC", "custom_cac"),
        ("utmCampaign", "custom_utm_campaign"),
        ("HTTPServer", "custom_http_server"),
        ("seats in use", "custom_seats_in_use"),
        ("Health-Score (new)", "custom_health_score_new"),
        ("id", "custom_id"),
        ("__proto__", "custom_proto"),
        ("2fa", "custom_2fa"),
        ('a "quoted"\nkey', "custom_a_quoted_key"),
        ("prénom", "custom_prenom"),
        ("pre\u0301nom", "custom_prenom"),
        ("cost→benefit", "custom_cost_benefit"),
        ("🔑 key", "custom_key"),
        ("a" * 55, f"custom_{'a' * 55}"),
    ],
)
def test_a_name_is_the_key_in_snake_case(key: str, expected: str) -> None:
    assert names(key) == [expected]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("", r"custom_[0-9a-f]{8}"),
        ("!", r"custom_[0-9a-f]{8}"),
        (CYRILLIC, r"custom_[0-9a-f]{8}"),
        ("Дата 1", r"custom_1_[0-9a-f]{8}"),
        ("a" * 56, r"custom_a{46}_[0-9a-f]{8}"),
        ("A" * 100_000, r"custom_a{46}_[0-9a-f]{8}"),
    ],
)
def test_a_hash_stands_for_what_a_name_cannot_hold(key: str, pattern: str) -> None:
    (name,) = names(key)
    assert re.fullmatch(pattern, name)


def test_of_keys_that_meet_the_first_in_order_keeps_the_name() -> None:
    lower, upper = names("cac", "CAC")
    assert upper == "custom_cac"
    assert re.fullmatch(r"custom_cac_[0-9a-f]{8}", lower)


def test_a_hash_that_is_a_key_of_its_own_takes_another() -> None:
    _, hashed = names("CAC", "cac")
    squatter = f" {hashed.removeprefix('custom_')}"
    assert names(squatter) == [hashed]
    assert len({*names("CAC", squatter, "cac")}) == 3


def test_other_columns_keep_their_names() -> None:
    (name,) = names("cac", taken=("Custom_CAC",))
    assert re.fullmatch(r"custom_cac_[0-9a-f]{8}", name)


def test_no_column_of_the_stream_looks_like_one_of_these() -> None:
    assert not [c.name for c in COLUMNS if c.name.startswith(("custom_", "stripe_"))]


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
    alone = {
        key: column_names([key], prefix="custom", taken=())[key] for key in keys | more
    }
    before = column_names(keys, prefix="custom", taken=())
    after = column_names(keys | more, prefix="custom", taken=())
    for key in keys:
        if list(alone.values()).count(alone[key]) == 1:
            assert before[key] == after[key] == alone[key]
