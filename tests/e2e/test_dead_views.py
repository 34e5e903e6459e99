import uuid
from pathlib import Path

import pytest

from spyglass import stores
from spyglass.bench.senders import INPUT_TOKENS, Burst, send
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client
from tests.conftest import eventually

pytestmark = [pytest.mark.stack]

# So small that a few requests fill it.
TINY = """
exporters:
  otlp_grpc/tempo_hop: {sending_queue: {queue_size: 40000, batch: {min_size: 10000}}}
  otlp_grpc/tempo: {sending_queue: {queue_size: 40000}}
  otlp_grpc/prometheus_hop: {sending_queue: {queue_size: 40000, batch: {min_size: 10000}}}
  otlp_http/prometheus: {sending_queue: {queue_size: 40000}}
"""
SPANS = 5000


def test_dead_views_refuse_nothing_and_lose_no_count(tmp_path: Path) -> None:
    """With Tempo and Prometheus dead and their queues full, nothing is refused, and calls are exact afterwards."""
    layer = tmp_path / "tiny.yaml"
    layer.write_text(TINY)
    service = f"dead-{uuid.uuid4().hex[:8]}"
    with LocalStack(
        only=("warehouse", "prometheus", "tempo", "collector"), settings={"collector_config": str(layer)}
    ) as stack:
        port = stack.settings.port("otlp_http")
        stack.stop("tempo")
        stack.stop("prometheus")
        tally = send(port, Burst(service, SPANS, senders=10, per_request=10))
        assert (tally.acknowledged, tally.refused) == (SPANS // 10, 0)
        query = "SELECT count() AS n FROM spans WHERE service = {s:String}"
        stored = lambda: client.reader(stack.settings).rows(query, s=service)[0]["n"]  # noqa: E731 -- asked twice
        assert eventually(stored, lambda n: n == SPANS) == SPANS
        stack.start("tempo")
        stack.start("prometheus")
        send(port, Burst(service, 10, senders=1, per_request=10, first_id=SPANS + 1))
        here, prometheus = f'{{service_name="{service}"}}', stores.prometheus(stack.settings)
        calls, tokens = f"sum(spyglass_calls_total{here})", f"sum(spyglass_llm_input_tokens_total{here})"
        eventually(lambda: prometheus.value(calls), lambda n: n == SPANS + 10)
        eventually(lambda: prometheus.value(tokens), lambda n: n == (SPANS + 10) * INPUT_TOKENS)
