"""Show how much of each host and GPU is in use."""

from __future__ import annotations

from typing import Final

from grafana import charts, style
from grafana.panels import Section
from grafana.queries import hosts
from grafana.queries.promql import legend
from grafana.targets import PromQL
from spyglass import names

HOST: Final = legend(names.HOST_NAME)
GPU: Final = legend(names.HOST_NAME, "hw.name")
NO_GPU: Final = "no GPU"

SECTION: Final = Section(
    "Hosts and GPUs",
    (
        charts.gauge(
            "Processor",
            "Share of CPU time in use, by host. Above 90 % runs wait for the CPU: move agents away or add cores.",
            PromQL(hosts.processor(), legend=HOST, instant=True),
            width=5,
            thresholds=style.SATURATION,
        ),
        charts.gauge(
            "Memory",
            "Share of memory in use without caches, by host. Above 90 % for a minute HostMemoryHigh fires: the kernel "
            "will soon kill the largest process.",
            PromQL(hosts.memory(), legend=HOST, instant=True),
            width=5,
            thresholds=style.SATURATION,
        ),
        charts.gauge(
            "Disk",
            "Share of each filesystem in use. A full disk stops the warehouse and the collector's queues: free space "
            "or shorten the retention (spyglass settings).",
            PromQL(hosts.disk(), legend=legend(names.HOST_NAME, "system.filesystem.mountpoint"), instant=True),
            width=5,
            thresholds=style.SATURATION,
        ),
        charts.gauge(
            "GPU",
            "Share of time in which each GPU worked. High is what a GPU is paid for; idle while agents wait means that "
            "the model server, not the GPU, is the bottleneck.",
            PromQL(hosts.gpu(), legend=GPU, instant=True),
            width=5,
            thresholds=style.PLAIN,
            empty=NO_GPU,
        ),
        charts.gauge(
            "GPU memory",
            "Share of each GPU's memory in use. Above 90 % the next larger batch or context fails for want of memory.",
            PromQL(hosts.gpu_memory(), legend=GPU, instant=True),
            width=4,
            thresholds=style.SATURATION,
            empty=NO_GPU,
        ),
    ),
)
