"""Check what is instrumented here: which library by what, which pairs are broken, what a call through each leaves."""

from __future__ import annotations

from collections.abc import Iterator

from spyglass.sdk.autoinstrument import wanted
from spyglass.sdk.registry.choice import Choice, broken, choose
from spyglass.sdk.registry.installed import every_misfit, version
from spyglass.sdk.registry.tables import Role, ways
from spyglass.sdk.report import Outcome
from spyglass.stack.finding import Check, Finding, Machine, failed, note, ok
from spyglass.trial import trying
from spyglass.trial.report import Trial

_ANOTHER = "Install another instrumentor (docs/instrumentation.md), or leave the library out of SPYGLASS_INSTRUMENT."


def instrumentation(machine: Machine) -> Iterator[Finding]:
    """Import each library that is installed, with instrumentation on, and say what became of it."""
    choices = _choices(machine)
    if not choices:
        yield note(f"no library to instrument is installed; SPYGLASS_INSTRUMENT is {machine.settings.instrument}.")
    for choice, trial in zip(choices, trying.imports(choices, machine.settings.instrument), strict=True):
        yield _outcome(choice, trial)


def broken_pairs(_: Machine) -> Iterator[Finding]:
    """Name what is installed together and does not work together."""
    found = False
    for breakage, library, package in broken():
        found = True
        sentence = f"{breakage.package} {package} with {breakage.library} {library}: {breakage.fault}"
        yield failed(sentence, breakage.remedy)
    for misfit in every_misfit():
        found = True
        yield failed(str(misfit), "Install the version that it needs, or give it an environment of its own.")
    if not found:
        yield ok("no two packages are installed that are known not to work together")


def calls(machine: Machine) -> Iterator[Finding]:
    """Call the bundled fake provider through each library that is installed, and say what arrived."""
    choices = [choice for choice in _choices(machine) if choice.ways]
    for choice, trial in zip(choices, trying.calls(choices, machine.settings.instrument), strict=True):
        yield _arrived(choice, trial)


CHECKS: dict[str, Check] = {"instrumentation": instrumentation, "broken pairs": broken_pairs}
PROBE: dict[str, Check] = {"calls": calls}


def _choices(machine: Machine) -> list[Choice]:
    return list(choose(wanted(machine.settings.instrument), ways()))


def _outcome(choice: Choice, trial: Trial) -> Finding:
    name = f"{choice.library} ({choice.distribution} {choice.version})"
    if trial.error:
        return failed(f"{name} cannot be imported: {trial.error}", f"Install {choice.distribution} again.")
    if trial.outcome is Outcome.INSTRUMENTED:
        sentence = f"{name}: {_maker(trial.by)}"
        return note(f"{sentence}. {trial.detail}") if trial.detail else ok(sentence)
    if trial.outcome is Outcome.FAILED:
        return failed(f"{name}: {trial.by} could not be switched on: {trial.detail}", _ANOTHER)
    why = "is off" if trial.outcome is Outcome.OFF else "is not instrumented"
    return note(f"{name} {why}. {trial.detail}")


def _maker(by: str) -> str:
    found = version(by)
    return f"instrumented by {by} {found}" if found else "reports itself"


def _arrived(choice: Choice, trial: Trial) -> Finding:
    name = choice.library
    if trial.error:
        return failed(f"{name}: the call failed: {trial.error}", "See whether the program works without spyglass.")
    if not trial.tried:
        return note(f"{name}: not tried, for want of a call or of the package that it calls models through.")
    if not trial.spans:
        return failed(f"{name}: a call was made and left no span.", _ANOTHER)
    spans = f"{trial.spans} {'span' if trial.spans == 1 else 'spans'}"
    if choice.ways[0].role is Role.TOOL:
        return ok(f"{name}: {spans}")
    has_tokens = trial.input_tokens is not None and trial.output_tokens is not None
    parts = [
        spans,
        f"{trial.input_tokens} tokens in, {trial.output_tokens} out" if has_tokens else "no tokens",
        "texts" if trial.content else "no texts",
        *([] if trial.traced is None else ["trace context sent" if trial.traced else "trace context not sent"]),
    ]
    sentence = f"{name}: {', '.join(parts)}"
    if has_tokens:
        return ok(sentence)
    return failed(f"{sentence}.", "Install the instrumentor of the client that calls the model as well.")
