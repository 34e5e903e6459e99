"""Ask Tempo for traces."""

from __future__ import annotations

from typing import Final

from grafana.queries.promql import VARIABLES
from spyglass import names
from spyglass.names import Kind

# Between back quotes TraceQL escapes nothing, so the regular expressions of the variables pass as they are.
TENANT: Final = " && ".join(
    f'span."{attribute}" =~ `${{{VARIABLES[attribute]}:regex}}`' for attribute in (names.ORGANIZATION, names.PROJECT)
)


def newest_runs() -> str:
    """Return the newest traces that hold a run of an agent, with the agent and the status of the run."""
    run = f'span."{names.KIND}" = "{Kind.AGENT}"'
    return f'{{ {run} && {TENANT} }} | select(span."{names.AGENT_NAME}", status)'
