"""Invoices are read in the forms that providers export, and compared with what calls cost, day by day and by model."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import InputFileError
from spyglass.warehouse.prices import invoice
from spyglass.warehouse.prices import table as price_table
from spyglass.warehouse.prices.invoice import Line
from spyglass.warehouse.prices.reconcile import Comparison, canonical
from tests.warehouse.calls import call, finalise
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server, usage

numbers = count(81_000)
TENTH, ELEVENTH = date(2026, 11, 10), date(2026, 11, 11)

OPENAI = """\
start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,line_item,project_id
1794268800,1794355200,,,0.0025000000000000000,usd,1000,"gpt-4o-2024-08-06, input",p
1794268800,1794355200,,,0.0010000000000000000,usd,100,"gpt-4o-2024-08-06, output",p
1794268800,1794355200,,,,,,,
1794355200,1794441600,,,0.5,usd,,"gpt-5-mini-2025-08-07, cached input",p
"""
ANTHROPIC = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type
2026-11-10,Claude Haiku 4.5,Default,k,message,≤ 200k,input_no_cache,0.05,0.05,token
2026-11-10,Claude Haiku 4.5,Default,k,message,≤ 200k,output,0.02,0.02,token
2026-11-11,,Default,k,message,,,0.01,0.01,web_search
"""
FOCUS = """\
ProviderName,ServiceName,SkuId,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BilledCost,EffectiveCost,BillingCurrency
OpenAI,API,gpt-4o,Usage,2026-11-10T00:00:00Z,2026-11-11T00:00:00Z,1.25,1.25,USD
OpenAI,API,,Tax,2026-11-10T00:00:00Z,2026-11-11T00:00:00Z,0.25,0.25,USD
OpenAI,API,gpt-4o,Usage,2026-11-11T01:00:00+02:00,2026-11-11T02:00:00+02:00,1e-9,0,USD
"""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            OPENAI,
            [
                Line(TENTH, "openai", "gpt-4o-2024-08-06", Decimal("0.0025")),
                Line(TENTH, "openai", "gpt-4o-2024-08-06", Decimal("0.001")),
                Line(ELEVENTH, "openai", "gpt-5-mini-2025-08-07", Decimal("0.5")),
            ],
        ),
        (
            ANTHROPIC,
            [
                Line(TENTH, "anthropic", "Claude Haiku 4.5", Decimal("0.05")),
                Line(TENTH, "anthropic", "Claude Haiku 4.5", Decimal("0.02")),
                Line(ELEVENTH, "anthropic", "", Decimal("0.01")),
            ],
        ),
        (
            FOCUS,
            [
                Line(TENTH, "OpenAI", "gpt-4o", Decimal("1.25")),
                Line(TENTH, "OpenAI", "", Decimal("0.25")),
                Line(TENTH, "OpenAI", "gpt-4o", Decimal("1e-9")),
            ],
        ),
    ],
)
def test_forms(text: str, lines: list[Line]) -> None:
    """Each export gives days in UTC, models and exact amounts; a tax has no model, a line without amount is none."""
    assert invoice.parse(text, "i.csv") == lines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "i.csv: it is no export that is known: its columns are none. These were looked for: OpenAI costs: "),
        (
            "day,usd\n2026-01-01,1\n",
            "i.csv: it is no export that is known: its columns are day, usd. These were",
        ),
        (OPENAI.replace("usd,100,", "eur,100,"), "i.csv: line 3: it is billed in eur. Only USD can be compared."),
        (OPENAI.replace("0.5", "half"), "i.csv: line 5: 'half' is no amount of money."),
        (OPENAI.replace("0.5", "NaN"), "i.csv: line 5: 'NaN' is no amount of money."),
        (OPENAI.replace("0.5", "1e99"), "i.csv: line 5: '1e99' is no amount of money."),
        (ANTHROPIC.replace("2026-11-11", "soon"), "i.csv: line 4: 'soon' is no time."),
        (
            FOCUS.replace("2026-11-11T00:00:00Z", "2026-12-01T00:00:00Z"),
            "i.csv: line 2: it bills from 2026-11-10T00:00:00Z to 2026-12-01T00:00:00Z, more than a day. Export it",
        ),
        (OPENAI.splitlines()[0] + "\n", "i.csv: it bills no model. Export it again"),
        ("\n".join([*FOCUS.splitlines()[:1], FOCUS.splitlines()[2]]), "i.csv: it bills no model."),
    ],
)
def test_bad_invoices(text: str, sentence: str) -> None:
    """What cannot be compared is one sentence that names the line, the value and what was looked for."""
    with pytest.raises(InputFileError) as caught:
        invoice.parse(text, "i.csv")
    assert str(caught.value).startswith(sentence)


def test_unreadable_invoices(tmp_path: Path) -> None:
    """A file that is absent or no text is one sentence; a mark of the byte order is none of the columns."""
    with pytest.raises(InputFileError, match="it cannot be read"):
        invoice.read(str(tmp_path / "absent.csv"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match="it is not text"):
        invoice.read(str(tmp_path / "binary.csv"))
    (tmp_path / "excel.csv").write_text(ANTHROPIC, "utf-8-sig")
    assert len(invoice.read(str(tmp_path / "excel.csv"))) == 3


@given(text=st.text(), rows=st.lists(st.lists(st.text(), max_size=12), max_size=5), form=st.sampled_from(invoice.FORMS))
def test_any_text_is_an_invoice_or_a_sentence(text: str, rows: list[list[str]], form: invoice.Form) -> None:
    """Whatever is in the file, with the columns of an export or without, reading it gives lines or a sentence."""
    with contextlib.suppress(InputFileError):
        invoice.parse(text, "i.csv")
    made = io.StringIO()
    csv.writer(made).writerows([sorted(form.needed), *rows])
    with contextlib.suppress(InputFileError):
        invoice.parse(made.getvalue(), "i.csv")


@pytest.mark.parametrize(
    ("provider", "model", "name"),
    [
        ("anthropic", "Claude Haiku 4.5", "anthropic/claude-haiku-4-5"),
        ("anthropic", "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("OpenAI, LLC", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("Google Cloud", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("vllm", "Our Llama", "vllm/Our Llama"),
    ],
)
def test_names_meet(provider: str, model: str, name: str) -> None:
    """Dated names, names for people and companies' names are the package's; unknown ones stay as they are."""
    assert canonical(provider, model) == name


@pytest.mark.parametrize(
    ("computed", "billed", "percent", "within"),
    [
        ("1", "1", "0", True),
        ("1.01", "1", "1", True),
        ("1.010000001", "1", "1", False),
        ("0.99", "1", "1", True),
        ("0.989", "1", "1", False),
        (None, "1", "99", False),
        ("1", None, "1000", False),
        ("0", "0", "0", True),
        ("-1", "-1", "0", True),
    ],
)
def test_tolerance(computed: str | None, billed: str | None, percent: str, within: bool) -> None:  # noqa: FBT001 -- expected
    """A difference of exactly the tolerance, in percent of what was billed, is within it; one side alone never is."""
    sides = [None if text is None else Decimal(text) for text in (computed, billed)]
    assert Comparison(TENTH, "m", 1, 0, *sides).is_within(Decimal(percent)) is within


def _reconcile(server: Server, tmp_path: Path, text: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    file = tmp_path / "invoice.csv"
    file.write_text(text, "utf-8")
    done = spyglass(server, "prices", "reconcile", str(file), "--json", *words)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.stack
def test_reconciling(own_server: Server, tmp_path: Path) -> None:
    """Equal sides are 0; a difference, and a model on one side only, are found by day and model and are 1."""
    morning = datetime(2026, 11, 10, 0, 0, 0, tzinfo=UTC)
    night = datetime(2026, 11, 10, 23, 59, 59, tzinfo=UTC)
    next_day = datetime(2026, 11, 11, tzinfo=UTC)
    made = [
        (morning, usage("gpt-4o-2024-08-06", "openai", input=600, output=100)),  # 600 * 2.5 + 100 * 10 = 2500 / 1e6
        (night, usage("gpt-4o", "openai", input=400, output=0)),  # 400 * 2.5 = 1000 / 1e6
        (night, usage("gpt-4o", "openai")),  # no tokens, no cost
        (next_day, usage("gpt-5-mini", "openai", input=2_000_000, output=0)),  # 2 * 0.25
        (morning, usage("claude-haiku-4-5", "anthropic", input=1000, output=0)),  # of another invoice
    ]
    own_server.insert("otel_traces", [call(next(numbers), at, attributes) for at, attributes in made])
    admin = own_server.client()
    price_table.resolve_new_models(admin)
    finalise(admin)
    code, rows, said = _reconcile(own_server, tmp_path, OPENAI)
    assert (code, [row["verdict"] for row in rows]) == (0, ["ok", "ok"]), said
    assert [(row["day"], row["model"], row["usd_computed"], row["usd_billed"]) for row in rows] == [
        ("2026-11-10", "openai/gpt-4o", "0.0035", "0.0035"),
        ("2026-11-11", "openai/gpt-5-mini", "0.5", "0.5"),
    ]
    assert [(row["calls"], row["unpriced_calls"], row["coverage"]) for row in rows] == [(3, 1, 0.6667), (1, 0, 1.0)]
    assert said.startswith("computed 0.5035 USD, billed 0.5035 USD, difference 0 USD (0.00 %); coverage 0.75;")
    code, rows, _ = _reconcile(own_server, tmp_path, OPENAI.replace("0.5,usd", "0.51,usd"))
    assert (code, rows[1]["usd_difference"], rows[1]["percent"], rows[1]["verdict"]) == (1, "-0.01", "-1.96", "differs")
    assert _reconcile(own_server, tmp_path, OPENAI.replace("0.5,usd", "0.51,usd"), "--tolerance", "2")[0] == 0
    code, rows, _ = _reconcile(own_server, tmp_path, OPENAI.replace("gpt-5-mini-2025-08-07", "o3"))
    assert code == 1
    assert [(row["model"], row["side"]) for row in rows[1:]] == [
        ("openai/gpt-5-mini", "computed only"),
        ("openai/o3", "billed only"),
    ]
    code, rows, said = _reconcile(own_server, tmp_path, FOCUS, "--tolerance", "100")
    assert [(row["day"], row["usd_billed"]) for row in rows] == [("2026-11-10", "1.250000001")]
    assert said.endswith("billed for other things 0.25 USD.\n")


@pytest.mark.stack
def test_misuse(own_server: Server, tmp_path: Path) -> None:
    """A tolerance below nothing is one sentence and 2."""
    done = spyglass(own_server, "prices", "reconcile", str(tmp_path / "invoice.csv"), "--tolerance", "-1")
    assert (done.returncode, done.stderr) == (
        2,
        "spyglass: '-1' is no tolerance. It is a percentage such as 0.5.\n",
    )
