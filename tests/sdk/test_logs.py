"""Python's logging as OTLP logs, and evaluations."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

import spyglass
from spyglass.testing import Captured, capture


@pytest.fixture
def app() -> Iterator[logging.Logger]:
    """Return a logger that lets everything through."""
    logger = logging.getLogger("app.module")
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.setLevel(logging.NOTSET)


def attributes(captured: Captured, index: int = 0) -> dict[str, Any]:
    """Return the attributes of one log record."""
    return dict(captured.logs[index].log_record.attributes or {})


def test_a_log_line_is_joined_to_its_span(app: logging.Logger) -> None:
    """A line has its text, level, logger, place in the code, an id of its own, and the span that was current."""
    with capture() as captured, spyglass.agent("a") as agent:
        app.warning("hello %s", "you", extra={"order": 7})
        app.warning("hello %s", "you")
    record = captured.logs[0].log_record
    assert record.body == "hello you"
    assert record.severity_text == "WARN"
    assert record.severity_number is not None
    assert record.severity_number.value == 13
    assert f"{record.trace_id:032x}" == agent.trace_id
    assert f"{record.span_id:016x}" == agent.span_id
    scope = captured.logs[0].instrumentation_scope
    assert scope is not None
    assert scope.name == "app.module"
    found = attributes(captured)
    assert found["code.function.name"] == "test_a_log_line_is_joined_to_its_span"
    assert str(found["code.file.path"]).endswith("test_logs.py")
    assert isinstance(found["code.line.number"], int)
    assert found["order"] == 7
    assert found["log.record.uid"] != attributes(captured, 1)["log.record.uid"]


def test_exceptions_of_log_lines_are_recorded(app: logging.Logger) -> None:
    """logger.exception() records type, message and stack trace."""
    with capture() as captured:
        try:
            dict[str, int]()["k"]
        except KeyError:
            app.exception("failed")
    found = attributes(captured)
    assert found["exception.type"] == "KeyError"
    assert found["exception.message"] == "'k'"
    assert "dict[str, int]()" in found["exception.stacktrace"]


def test_only_lines_of_the_wanted_level_are_sent(app: logging.Logger) -> None:
    """The setting log_level is the lowest level that is sent; the loggers' own levels come first."""
    with capture(log_level="ERROR") as captured:
        app.warning("no")
        app.critical("yes")
    assert [log.log_record.severity_text for log in captured.logs] == ["FATAL"]


def test_logs_can_be_switched_off(app: logging.Logger) -> None:
    """logs=False sends none."""
    with capture(logs=False) as captured:
        app.error("no")
    assert captured.logs == []


def test_telemetrys_own_lines_are_never_sent() -> None:
    """Lines of OpenTelemetry, spyglass and urllib3 are not sent, or each export would log the next."""
    with capture() as captured:
        for name in ("opentelemetry.sdk", "spyglass", "spyglass.sdk", "urllib3.connectionpool"):
            logging.getLogger(name).error("no")
        logging.getLogger("spyglasses").error("yes")
    assert [log.log_record.body for log in captured.logs] == ["yes"]


def test_a_line_that_cannot_be_formatted_is_sent_as_it_is(app: logging.Logger) -> None:
    """Arguments that do not fit the format are the application's mistake, not a reason to lose the line."""
    app.propagate = False  # or pytest's own handler complains, rightly
    app.addHandler(logging.NullHandler())
    try:
        with capture() as captured:
            app.error("%d apples", "many")
    finally:
        app.propagate = True
        app.handlers.clear()
    assert captured.logs[0].log_record.body == "%d apples"


def test_the_applications_logging_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handler is added anywhere, so basicConfig() and Python's handler of last resort still work."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    before = logging.Logger.callHandlers
    with capture() as captured:
        assert logging.getLogger().handlers == []
        seen: list[str] = []

        class Last(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                seen.append(record.getMessage())

        monkeypatch.setattr(logging, "lastResort", Last())
        logging.getLogger("app").error("twice")
        assert [log.log_record.body for log in captured.logs] == ["twice"]
        assert seen == ["twice"]
    assert logging.Logger.callHandlers is before


def test_feedback_joins_the_trace() -> None:
    """An evaluation is an event with name, score and label that carries the ids of what was judged."""
    with capture() as captured:
        with spyglass.agent("a") as agent:
            pass
        spyglass.feedback(agent, "helpful", 1, label="yes", explanation="it was", source="user")
        spyglass.feedback(agent.trace_id, "exact", 0.5)
        spyglass.feedback(f"0x{agent.trace_id}".upper(), "late", label="no", span=agent.span_id)
    first, second, third = (log.log_record for log in captured.logs)
    found = attributes(captured)
    assert first.event_name == "gen_ai.evaluation.result"
    assert found.pop("log.record.uid")
    assert found == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "yes",
        "gen_ai.evaluation.explanation": "it was",
        "spyglass.evaluation.source": "user",
    }
    assert f"{first.trace_id:032x}{first.span_id:016x}" == agent.trace_id + agent.span_id
    assert (f"{second.trace_id:032x}", second.span_id) == (agent.trace_id, 0)
    assert f"{third.span_id:016x}" == agent.span_id


def test_feedback_belongs_to_the_session() -> None:
    """An evaluation carries the ids of the session in which it is given, and the tenant of the handle that it is about.

    A trace id alone says nothing of the session in which the trace was made.
    """
    with capture() as captured:
        with spyglass.session(organization="acme", project="p", user="asker"), spyglass.agent("a") as agent:
            spyglass.feedback(agent.trace_id, "inside", 1)
        with spyglass.session(organization="judges", user="judge"):
            spyglass.feedback(agent, "later", 1)
            spyglass.feedback(agent.trace_id, "by id", 1)
        spyglass.feedback(agent.trace_id, "outside", 1)
    keys = ("spyglass.organization", "spyglass.project", "user.id")
    found = {
        attributes["gen_ai.evaluation.name"]: tuple(attributes.get(key) for key in keys)
        for attributes in (dict(log.log_record.attributes or {}) for log in captured.logs)
    }
    assert found == {
        "inside": ("acme", "p", "asker"),
        "later": ("acme", "p", "judge"),
        "by id": ("judges", None, "judge"),
        "outside": (None, None, None),
    }


@pytest.mark.parametrize(
    ("trace", "options", "problem"),
    [
        ("", {"score": 1}, "a trace id is 32 hexadecimal digits"),
        ("xyz", {"score": 1}, "a trace id is 32 hexadecimal digits"),
        ("0" * 32, {"score": 1}, "a trace id is 32 hexadecimal digits"),
        ("1" * 32, {"score": 1, "span": "12"}, "a span id is 16 hexadecimal digits"),
        ("1" * 32, {"score": float("nan")}, "nan is no finite number"),
        ("1" * 32, {"score": "good"}, "'good' is no finite number"),
        ("1" * 32, {}, "give a score or a label"),
    ],
)
def test_feedback_that_cannot_be_recorded_is_one_sentence(
    trace: str, options: dict[str, Any], problem: str, said: pytest.LogCaptureFixture
) -> None:
    """Bad feedback is a warning that says what is wrong; nothing is recorded and nothing raises."""
    with capture() as captured:
        spyglass.feedback(trace, "n", **options)
    assert captured.logs == []
    assert [record.getMessage() for record in said.records] == [
        f"spyglass.feedback('n'): {problem}; nothing is recorded."
    ]
