"""List the commands: name and the sentence of --help. The module of the same name has configure() and run()."""

from __future__ import annotations

COMMANDS = {
    "up": "Start the stack on this machine.",
    "down": "Stop the stack.",
    "status": "Show which parts run and whether they are ready.",
    "logs": "Show the log of one part.",
    "restart": "Restart one part.",
    "doctor": "Check this machine and the running stack, and say how to mend what is wrong.",
    "programs": "List, build or locate the programs of the stack.",
    "run": "Run a Python program with telemetry on.",
    "env": "Print what a program in any language needs in its environment to send here, or run one with it.",
    "probe": "Watch this host and its GPUs.",
    "demo": "Run the demo fleet of agents.",
    "replay": "Send recorded OTLP/JSON files to the collector.",
    "truth": "Replay recordings with the provider's truth, and say where the warehouse counts otherwise.",
    "report": "Write a static HTML report from the stores.",
    "alerts": "List the alerts that arrived in the local inbox.",
    "sql": "Run a query on the warehouse as the read-only user.",
    "query": "Ask the warehouse one of the questions that stand as files: cost, speed, errors, single traces.",
    "warehouse": "Serve the warehouse and operate it: migrations, dead letters, retention, forgetting, backups.",
    "prices": "Look at the prices of models, set them, restate days with them, compare costs with an invoice.",
    "server": "Serve the alert inbox and run the background jobs.",
    "dashboards": "Build, check or list the Grafana dashboards.",
    "normalise": "Compile the dialect tables to the collector's configuration.",
    "settings": "Print every setting, its value and where it comes from.",
    "bench": "Measure the stack and compare with its goals.",
}
