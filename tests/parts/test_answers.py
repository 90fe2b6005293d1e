"""How a text from outside is shown."""

from __future__ import annotations

import string
from base64 import b64encode
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.answers import shown

KEY = "sandbox-api-key"
MOST = 300


@given(
    key=st.text(string.printable.strip() + "éß", min_size=12, max_size=40),
    before=st.text(),
    after=st.text(),
)
@example(key='a"b\\c/d&e<f>g h+i%j', before="key=", after="&x")
def test_every_form_of_the_key_is_masked(key: str, before: str, after: str) -> None:
    header = b64encode(f"{key}:".encode()).decode()
    for secret in (key, header):
        for form in (secret, quote(secret), quote(secret, safe="")):
            line = shown(f"{before}{form}{after}", key)
            assert form not in line
            assert line.isprintable()
            assert shown(f"Key <{form}> is odd", key) == "Key <***> is odd"


def test_a_key_is_masked_before_a_line_is_cut() -> None:
    for at in range(MOST - len(KEY) - 1, MOST + 1):
        assert "sand" not in shown("x" * at + KEY, KEY)
    assert shown("x" * (MOST + 1), KEY) == "x" * MOST + "…"
