"""List the parts of the stack: how each is started, checked, asked whether it is ready, and stopped.

Words in ``${…}`` are put in by spyglass.stack.render: PORT_<NAME>, DATA_DIR, CONFIG_DIR, PYTHON, PROGRAM_<NAME>, and
the folders of assets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spyglass.errors import UsageError

# The collector's configuration, one layer after the other.
COLLECTOR_LAYERS: Final = ("gateway.yaml", "normalise.yaml", "privacy.yaml", "span-metrics.yaml")
WAREHOUSE: Final = "warehouse"
_LAYERS = (*(f"--config=${{COLLECTOR_CONFIG_DIR}}/{name}" for name in COLLECTOR_LAYERS), "${COLLECTOR_FURTHER_LAYERS}")


@dataclass(frozen=True, slots=True)
class Part:
    """Describe one part; ``ready`` is the port and path that answer 200 when it is, ``needs`` what must be ready first.

    ``check`` is a command that refuses a bad configuration; ``passwords`` are the warehouse's users whose passwords
    the part takes from its environment (Python parts read them themselves). After ``stop_seconds`` a part that was
    asked to stop is killed; after ``start_seconds`` one that is not ready is given up, and later one that hangs so
    long is restarted.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    ready: tuple[str, str] | None = None
    ports: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    folder: str = ""
    start_seconds: int = 60
    stop_seconds: int = 15
    only_if_found: bool = False


PARTS: Final = {
    part.name: part
    for part in (
        Part(
            WAREHOUSE,
            ("${PYTHON}", "-m", "spyglass", "warehouse", "serve"),
            ready=("warehouse", "/ping"),
            ports=("warehouse",),
            start_seconds=600,  # migrations of a big table take their time
            stop_seconds=60,
        ),
        Part(
            "prometheus",
            (
                "${PROGRAM_PROMETHEUS}",
                "--config.file=${CONFIG_DIR}/prometheus.yaml",
                "--storage.tsdb.path=${DATA_DIR}/prometheus",
                "--web.listen-address=127.0.0.1:${PORT_PROMETHEUS}",
                "--web.external-url=http://127.0.0.1:${PORT_PROMETHEUS}",
                "--web.enable-otlp-receiver",
                "--web.enable-lifecycle",
                "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
            ),
            ready=("prometheus", "/-/ready"),
            ports=("prometheus",),
            check=("${PROGRAM_PROMTOOL}", "check", "config", "${CONFIG_DIR}/prometheus.yaml"),
            # Prometheus serves ./static in place of the pages that only release builds carry.
            folder="${DEPLOY_DIR}/local/prometheus-pages",
            stop_seconds=30,
        ),
        Part(
            "tempo",
            ("${PROGRAM_TEMPO}", "-config.file=${CONFIG_DIR}/tempo.yaml"),
            ready=("tempo", "/ready"),
            ports=("tempo", "tempo_grpc", "tempo_otlp_grpc", "tempo_otlp_http", "tempo_memberlist"),
            check=("${PROGRAM_TEMPO}", "-config.file=${CONFIG_DIR}/tempo.yaml", "-config.verify=true"),
            # Tempo 2.8 hangs at its end for ever if it was asked anything in its last 30 s: its request queue waits
            # for a cleaner that has already stopped. All it received is in its write-ahead log by then.
            stop_seconds=5,
        ),
        Part(
            "alertmanager",
            (
                "${PROGRAM_ALERTMANAGER}",
                "--config.file=${CONFIG_DIR}/alertmanager.yaml",
                "--storage.path=${DATA_DIR}/alertmanager",
                "--web.listen-address=127.0.0.1:${PORT_ALERTMANAGER}",
                "--web.external-url=http://127.0.0.1:${PORT_ALERTMANAGER}",
                "--cluster.listen-address=",
            ),
            ready=("alertmanager", "/-/ready"),
            ports=("alertmanager",),
            check=("${PROGRAM_AMTOOL}", "check-config", "${CONFIG_DIR}/alertmanager.yaml"),
        ),
        Part(
            "collector",
            ("${PROGRAM_COLLECTOR}", *_LAYERS),
            needs=("warehouse", "prometheus", "tempo"),
            ready=("collector_health", "/"),
            ports=(
                "otlp_grpc",
                "otlp_http",
                "metrics_hop",
                "tempo_hop",
                "prometheus_hop",
                "collector_metrics",
                "collector_health",
            ),
            check=("${PROGRAM_COLLECTOR}", "validate", *_LAYERS),
            # A fleet's many small requests are garbage at once: collecting it half as often saves a tenth of a core.
            environment=("GOGC=200", "GOMEMLIMIT=1GiB"),
            passwords=("collector",),
            stop_seconds=30,
        ),
        Part(
            "server",
            ("${PYTHON}", "-m", "spyglass", "server"),
            needs=("warehouse", "alertmanager", "collector"),
            ready=("server", "/health"),
            ports=("server",),
        ),
        Part("probe", ("${PYTHON}", "-m", "spyglass", "probe"), needs=("collector",)),
        Part(
            "grafana",
            ("${GRAFANA}", "server", "--homepath=${GRAFANA_HOME}"),
            needs=("warehouse", "prometheus", "tempo"),
            ready=("grafana", "/api/health"),
            ports=("grafana",),
            environment=(
                "GF_SERVER_HTTP_ADDR=127.0.0.1",
                "GF_SERVER_HTTP_PORT=${PORT_GRAFANA}",
                "GF_PATHS_DATA=${DATA_DIR}/grafana",
                "GF_PATHS_LOGS=${DATA_DIR}/grafana/log",
                "GF_PATHS_PLUGINS=${GRAFANA_PLUGINS}",
                "GF_PATHS_PROVISIONING=${GRAFANA_DIR}/provisioning",
                "DASHBOARDS_DIR=${GRAFANA_DIR}/generated",
                "GF_ANALYTICS_REPORTING_ENABLED=false",
                "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
                "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
                "GF_NEWS_NEWS_FEED_ENABLED=false",
                "GF_AUTH_ANONYMOUS_ENABLED=true",
                "GF_AUTH_ANONYMOUS_ORG_ROLE=Editor",
            ),
            passwords=("reader",),
            only_if_found=True,
        ),
    )
}


def choose(only: tuple[str, ...] | list[str], *, grafana: bool) -> tuple[Part, ...]:
    """Return the parts of these names (all when there are none) in the order of the table.

    Raises UsageError for a name that is no part, and for Grafana where there is none.
    """
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise UsageError(f"The stack has no part {unknown[0]!r}.", f"It has {', '.join(PARTS)}.")
    if "grafana" in only and not grafana:
        raise UsageError(
            "There is no Grafana on this machine.", "Install it, or name its server with SPYGLASS_GRAFANA."
        )
    wanted = only or [name for name, part in PARTS.items() if grafana or not part.only_if_found]
    return tuple(part for name, part in PARTS.items() if name in wanted)
