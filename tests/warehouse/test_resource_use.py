"""Spans say what they used of their machine, in typed columns; what cannot be is kept apart."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest

from spyglass import names
from spyglass.warehouse.prices.table import resolve_new_models
from tests.warehouse.wire import Server, one, span, usage

USAGE = {
    "cpu_core_seconds": names.USAGE_CPU,
    "memory_gb_seconds": names.USAGE_MEMORY,
    "gpu_seconds": names.USAGE_GPU,
    "network_receive_bytes": names.USAGE_NETWORK_RECEIVE,
    "network_transmit_bytes": names.USAGE_NETWORK_TRANSMIT,
}
COLUMNS = f"{', '.join(USAGE)}, host, usage_defects"
OF_SPAN = f"SELECT {COLUMNS} FROM spans WHERE trace_id = {{t:String}}"
FROM_BEFORE = """
ALTER TABLE spyglass.spans DROP COLUMN usage_defects, DROP COLUMN host,
    DROP COLUMN cpu_core_seconds, DROP COLUMN memory_gb_seconds, DROP COLUMN gpu_seconds,
    DROP COLUMN network_receive_bytes, DROP COLUMN network_transmit_bytes
"""


def test_what_a_span_used(server: Server) -> None:
    """Each attribute of resource use is in its column, and the host of the resource; nothing is a defect."""
    values = {
        "cpu_core_seconds": "1.25",
        "memory_gb_seconds": "1e-3",
        "gpu_seconds": "0",
        "network_receive_bytes": "12",
    }
    row = span(
        700_030_001,
        {USAGE[column]: value for column, value in values.items()} | {USAGE["network_transmit_bytes"]: "1000000000000"},
        ResourceAttributes={"host.name": "rack-7"},
    )
    assert server.insert("otel_traces", [row]).status == 200
    assert one(server, OF_SPAN, t=row["TraceId"]) == {
        "cpu_core_seconds": 1.25,
        "memory_gb_seconds": 0.001,
        "gpu_seconds": 0,
        "network_receive_bytes": 12,
        "network_transmit_bytes": 1_000_000_000_000,
        "host": "rack-7",
        "usage_defects": {},
    }


def test_what_is_not_said_is_unknown(server: Server) -> None:
    """A span without resource use has NULL in every column, never 0, and no defect."""
    row = span(700_030_002)
    server.insert("otel_traces", [row])
    assert one(server, OF_SPAN, t=row["TraceId"]) == dict.fromkeys(USAGE) | {"host": "", "usage_defects": {}}


@pytest.mark.parametrize(
    "value", ["-1", "-0.001", "1000000000001", "1e13", "NaN", "inf", "-inf", "much", "99999999999999999999"]
)
def test_absurd_use_is_unknown_and_countable(server: Server, value: str) -> None:
    """A number that cannot be one is NULL in its column; what was reported is in ``usage_defects``, by column."""
    number = 700_031_000 + zlib.crc32(value.encode()) % 100_000
    row = span(number, dict.fromkeys(USAGE.values(), value))
    beside = span(number + 1_000_000, {USAGE["gpu_seconds"]: "2"})
    assert server.insert("otel_traces", [row, beside]).status == 200
    found = one(server, OF_SPAN, t=row["TraceId"])
    assert {column: found[column] for column in USAGE} == dict.fromkeys(USAGE)
    assert found["usage_defects"] == dict.fromkeys(USAGE, value)
    assert one(server, OF_SPAN, t=beside["TraceId"])["gpu_seconds"] == 2


def test_a_part_of_a_byte_is_a_defect(server: Server) -> None:
    """Bytes are whole, seconds need not be."""
    row = span(30_004, dict.fromkeys(USAGE.values(), "0.5"))
    server.insert("otel_traces", [row])
    found = one(server, OF_SPAN, t=row["TraceId"])
    assert [found[column] for column in USAGE] == [0.5, 0.5, 0.5, None, None]
    assert found["usage_defects"] == {"network_receive_bytes": "0.5", "network_transmit_bytes": "0.5"}


def test_spans_of_before_have_it(new_server: Callable[..., Server]) -> None:
    """Spans that came before there were these columns have them from their attributes."""
    server = new_server().start()
    server.sql(FROM_BEFORE)
    row = span(1, {USAGE["gpu_seconds"]: "3", USAGE["cpu_core_seconds"]: "-3"})
    assert server.insert("otel_traces", [row]).status == 200
    again = "ALTER TABLE spyglass.schema_migrations DELETE WHERE name LIKE '%_resource_use'"
    server.sql(f"{again} SETTINGS mutations_sync = 2")
    assert server.stop() == 0
    server.start()
    expected = dict.fromkeys(USAGE) | {"gpu_seconds": 3, "host": "", "usage_defects": {"cpu_core_seconds": "-3"}}
    assert one(server, OF_SPAN, t=row["TraceId"]) == expected


def test_it_stays_with_a_span_that_is_priced_later(server: Server) -> None:
    """A span that is written again, with its cost, keeps what it used."""
    attributes = usage("claude-3-5-haiku-20970101", "anthropic", input=1, output=1) | {USAGE["gpu_seconds"]: "3"}
    row = span(30_005, attributes, ResourceAttributes={"host.name": "rack-7"})
    server.insert("otel_traces", [row])
    resolve_new_models(server.client())
    found = one(server, f"{OF_SPAN} AND cost_source = 'computed'", t=row["TraceId"])
    assert (found["gpu_seconds"], found["host"]) == (3, "rack-7")
