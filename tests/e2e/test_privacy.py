import json
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.collector_config.test_privacy import _log, _metric, _trace
from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]


def test_a_planted_key_is_in_no_file_of_the_stack(running: Running) -> None:
    """A key in a foreign span, log and metric is in no store, queue file or dead letter."""
    marker = uuid.uuid4().hex
    secret = f"sk-proj-{marker}"
    why = {"key": "gen_ai.evaluation.explanation", "value": {"stringValue": f"because {secret}"}}
    # A time of 1970 makes a dead letter of the span, which must not hold the key either.
    for signal, request in (
        ("traces", _trace(f"before {secret} after")),
        ("traces", _trace(secret, startTimeUnixNano="1", endTimeUnixNano="2")),
        ("logs", _log(secret)),
        ("logs", _log("", eventName="gen_ai.evaluation.result", attributes=[why])),
        ("metrics", _metric(secret)),
    ):
        body = json.dumps(request).encode()
        call = urllib.request.Request(f"{running.endpoint}/v1/{signal}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=30) as answer:
            assert answer.status == 200
    eventually(lambda: running.warehouse.rows("SELECT name FROM spans WHERE name = 'call before [redacted] after'"))
    eventually(lambda: running.warehouse.rows("SELECT body FROM dead_letters WHERE body LIKE '%[redacted]%'"))
    eventually(lambda: running.warehouse.rows("SELECT name FROM evaluations WHERE explanation = 'because [redacted]'"))
    for table in ("spans", "span_content", "logs", "evaluations", "metrics_gauge", "dead_letters"):
        query = f"SELECT count() AS n FROM {table} WHERE position(toString(tuple(*)), {{marker:String}}) > 0"
        assert running.warehouse.rows(query, marker=marker) == [{"n": 0}], table
    data = Path(running.settings.data_dir)
    holding = [path for path in data.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]
    assert holding == []
