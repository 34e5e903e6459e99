"""spyglass env: what is printed is what its readers read."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import dotenv
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spyglass.cli._environment import FORMATS
from spyglass.errors import UsageError
from spyglass.sdk.environment import for_child, rows, variables
from spyglass.settings import Settings
from tests.sdk.receiver import receiving

PLAIN = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
# What an environment can hold, line breaks, quotes, blanks and letters of all planes included.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
NASTY = st.one_of(TEXTS, st.text("'\"\\$`{}()# \n\t!=:%&;|<>*?~a", max_size=20))
VARIABLES = st.dictionaries(st.from_regex("[A-Z][A-Z0-9_]{0,8}", fullmatch=True), NASTY, max_size=5)


def env(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``spyglass env``."""
    return subprocess.run(
        [sys.executable, "-m", "spyglass", "env", *words],
        env=PLAIN | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def printed(form: str, wanted: dict[str, str], token_file: str = "") -> str:
    """Return what is printed in this format."""
    return "\n".join(FORMATS[form](wanted, token_file)) + "\n"


def by_shell(script: str) -> dict[str, str]:
    """Let a real shell evaluate the output of a command, and return its environment."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'eval "$(cat)"; env -0'], input=script.encode(), env=PLAIN, capture_output=True, check=True
    )
    pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0") if pair)
    return {name: value for name, _, value in pairs if name not in {*PLAIN, "PWD", "SHLVL", "_", "OLDPWD"}}


def by_kubernetes(text: str, secrets: dict[str, str]) -> dict[str, str]:
    """Read the list as a kubelet does: $(NAME) is replaced where NAME stands before, $$ is $."""
    found: dict[str, str] = {}

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else found.get(match[1], match[0])

    for entry in yaml.safe_load(text)["env"]:
        if "valueFrom" in entry:
            found[entry["name"]] = secrets[entry["valueFrom"]["secretKeyRef"]["key"]]
        else:
            found[entry["name"]] = re.sub(r"\$\$|\$\(([^)]*)\)", value, entry["value"])
    return found


@settings(max_examples=60, deadline=None)
@given(VARIABLES)
def test_a_shell_reads_what_was_meant(wanted: dict[str, str]) -> None:
    """A real shell that evaluates it gets exactly the values, whatever is in them."""
    wanted = {f"X_{name}": value for name, value in wanted.items()}
    assert by_shell(printed("shell", wanted)) == wanted


@example({"NO": ""})  # which YAML reads as false where nothing is quoted
@given(VARIABLES)
def test_kubernetes_reads_what_was_meant(wanted: dict[str, str]) -> None:
    """A YAML parser and the kubelet's expansion give exactly the values."""
    assert by_kubernetes(printed("kubernetes", {**wanted, "LAST": "1"}), {}) == {**wanted, "LAST": "1"}


@given(VARIABLES)
def test_dotenv_reads_what_was_meant_or_it_is_refused(wanted: dict[str, str]) -> None:
    """python-dotenv gives exactly the values; what it would replace is refused in one sentence."""
    if any("${" in value or "\r" in value for value in wanted.values()):
        with pytest.raises(UsageError, match="cannot hold"):
            printed("dotenv", wanted)
    else:
        assert dotenv.dotenv_values(stream=io.StringIO(printed("dotenv", wanted))) == wanted


@given(VARIABLES)
def test_json_is_one_object_of_texts(wanted: dict[str, str]) -> None:
    """JSON gives exactly the values."""
    assert json.loads(printed("json", wanted)) == wanted


@settings(max_examples=30, deadline=None)
@given(st.text("'\"\\$` ;()ab.", min_size=1, max_size=12))
def test_a_tokens_path_may_hold_anything(name: str) -> None:
    """The shell asks for the very file, however it is named."""
    script = printed("shell", {}, f"/{name}")
    inner = re.fullmatch(r'export \w+="Authorization=Bearer%20\$\(cat (.*)\)"\n', script, re.DOTALL)
    assert inner is not None
    assert shlex.split(inner[1]) == [f"/{name}"]


def test_a_token_reaches_its_reader_and_no_output(tmp_path: Path) -> None:
    """No format shows the token: the shell reads it, Kubernetes takes it from a Secret, dotenv and JSON say how."""
    token = tmp_path / "to'ken"
    token.write_text("hush-hush\n")
    texts = {form: env("--format", form, SPYGLASS_TOKEN_FILE=str(token)) for form in FORMATS}
    assert [done.returncode for done in texts.values()] == [0] * 4
    assert "hush-hush" not in "".join(done.stdout + done.stderr for done in texts.values())
    assert by_shell(texts["shell"].stdout)[HEADERS] == "Authorization=Bearer%20hush-hush"
    found = by_kubernetes(texts["kubernetes"].stdout, {"token": "hush-hush"})
    assert found[HEADERS] == "Authorization=Bearer%20hush-hush"
    assert "SPYGLASS_TOKEN_FILE" not in found
    how = texts["dotenv"].stdout.splitlines()[-1]
    appended = subprocess.check_output(
        ["/bin/sh", "-c", how.partition("to add it: ")[2].replace(">> .env", "")], text=True
    )
    assert dotenv.dotenv_values(stream=io.StringIO(appended)) == {HEADERS: "Authorization=Bearer%20hush-hush"}
    assert HEADERS in texts["json"].stderr
    assert HEADERS not in json.loads(texts["json"].stdout)


def test_a_program_gets_it_all_and_its_exit_code_counts(tmp_path: Path) -> None:
    """After -- a program runs with the variables and the token, which is in no argument."""
    (tmp_path / "token").write_text("hush hush")
    words = ["--service", "shop", "--", "/bin/sh", "-c", 'env -0; cat "/proc/$$/cmdline"; exit 7']
    done = env(*words, SPYGLASS_TOKEN_FILE=str(tmp_path / "token"))
    assert done.returncode == 7
    *pairs, command = done.stdout.rpartition("\0/bin/sh")[0].split("\0"), done.stdout.rpartition("/bin/sh")[2]
    found = dict(pair.split("=", 1) for pair in pairs[0] if "=" in pair)
    assert (found["OTEL_SERVICE_NAME"], found[HEADERS]) == ("shop", "Authorization=Bearer%20hush%20hush")
    assert "hush" not in command


STOCK = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
provider.get_tracer("app").start_span("work").end()
provider.shutdown()
"""


def test_a_program_with_stock_opentelemetry_sends_here(tmp_path: Path) -> None:
    """Without a word of spyglass in it, a program's span arrives with the token, the service and whose it is."""
    (tmp_path / "token").write_text("hush=hush+/%")
    with receiving() as receiver:
        words = ["--service", "shop", "--endpoint", receiver.endpoint, "--", sys.executable, "-c", STOCK]
        done = env(*words, SPYGLASS_TOKEN_FILE=str(tmp_path / "token"), SPYGLASS_ORGANIZATION="acme, inc=1")
        assert (done.returncode, done.stderr) == (0, "")
        resource = receiver.span("work")["resource"]
        assert (resource["service.name"], resource["spyglass.organization"]) == ("shop", "acme, inc=1")
        sent = {name.lower(): value for name, value in receiver.requests[0][2].items()}
        assert sent["authorization"] == "Bearer hush=hush+/%"


def test_options_go_before_settings_and_lists_are_joined() -> None:
    """--endpoint, --service and --content count before the environment; what a list has stays in it."""
    done = env(
        *("--format", "json", "--endpoint", "http://c:4318", "--content", "full"),
        SPYGLASS_ENDPOINT="http://other:4318",
        SPYGLASS_CONTENT="off",
        SPYGLASS_PROJECT="a,b=c d",
        OTEL_RESOURCE_ATTRIBUTES="team=x, spyglass.project=old",
        OTEL_SEMCONV_STABILITY_OPT_IN="http",
        OTEL_SERVICE_NAME="mine",
    )
    found = json.loads(done.stdout)
    assert (found["OTEL_EXPORTER_OTLP_ENDPOINT"], found["OTEL_SERVICE_NAME"]) == ("http://c:4318", "mine")
    assert found["OTEL_RESOURCE_ATTRIBUTES"] == "team=x,spyglass.project=a%2Cb%3Dc%20d"
    assert found["OTEL_SEMCONV_STABILITY_OPT_IN"] == "http,gen_ai_latest_experimental"
    assert found["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == "SPAN_ONLY"
    assert "TRACELOOP_TRACE_CONTENT" not in found


def test_texts_are_off_by_default() -> None:
    """By default no switch for texts is on, and those that are on by themselves are switched off."""
    found = json.loads(env("--format", "json").stdout)
    assert found["TRACELOOP_TRACE_CONTENT"] == "false"
    assert found["OPENINFERENCE_HIDE_INPUTS"] == found["OPENINFERENCE_HIDE_OUTPUTS"] == "true"
    assert not {"OTEL_LOG_USER_PROMPTS", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"} & set(found)


def test_a_trace_is_handed_on_but_not_into_files() -> None:
    """TRACEPARENT, TRACESTATE and BAGGAGE of the command's own environment go on, but for dotenv and Kubernetes."""
    trace = {"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-01", "TRACESTATE": "v=1", "BAGGAGE": "spyglass.user=u"}
    assert trace.items() <= by_shell(env(**trace).stdout).items()
    assert trace.items() <= json.loads(env("--format", "json", **trace).stdout).items()
    lasting = dotenv.dotenv_values(stream=io.StringIO(env("--format", "dotenv", **trace).stdout))
    assert trace.keys().isdisjoint(lasting)
    assert "BAGGAGE" not in env("--format", "kubernetes", **trace).stdout


def test_a_pod_is_told_that_loopback_is_itself() -> None:
    """Kubernetes with a loopback endpoint is a line on stderr; with a service's name it is none."""
    assert "the pod itself" in env("--format", "kubernetes").stderr
    assert env("--format", "kubernetes", "--endpoint", "http://collector:4318").stderr == ""


@pytest.mark.parametrize(
    ("words", "environ", "sentence"),
    [
        (["--endpoint", "localhost:4318"], {}, "is no http:// or https:// address"),
        (["--", "no-such-command"], {}, "There is no command no-such-command."),
        (["--format", "json", "--", "true"], {}, "Leave one out."),
        (["--", "true"], {"SPYGLASS_TOKEN_FILE": "/no/such"}, "/no/such: No such file or directory."),
        (["--format", "dotenv", "--service", "${HOME}"], {}, "A dotenv file cannot hold OTEL_SERVICE_NAME"),
        (["--format", "toml"], {}, "invalid choice"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], environ: dict[str, str], sentence: str) -> None:
    """Misuse ends with exit code 2 and a sentence, never with a stack trace."""
    done = env(*words, **environ)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_table_is_whole() -> None:
    """Each variable stands once with words that the code knows, and each value can be filled in."""
    table = rows()
    assert len({row.variable for row in table}) == len(table)
    assert {row.child for row in table} == {"", "yes", "tokenless"}
    full: dict[str, Any] = {"service": "s", "project": "p", "token_file": "/t"}
    trace = {"TRACEPARENT": "t", "TRACESTATE": "s", "BAGGAGE": "b"}
    reached = {*variables(Settings(**full, content="full"), trace), *variables(Settings(**full, content="off"), trace)}
    assert reached == {row.variable for row in table}


def test_a_child_gets_no_name_no_release_and_no_token() -> None:
    """What is handed on by itself leaves out what belongs to this service alone."""
    found = for_child(Settings(service="s", release="1", project="p", content="off"))
    assert "OTEL_SERVICE_NAME" not in found
    assert found["OTEL_RESOURCE_ATTRIBUTES"] == "spyglass.project=p"
    guarded = for_child(Settings(token_file="/t"))
    assert set(guarded) == {"SPYGLASS_CONTENT", "SPYGLASS_ENDPOINT", "SPYGLASS_TOKEN_FILE"}
