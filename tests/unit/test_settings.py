from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import InputFileError, SettingError
from spyglass.settings import ROWS, Settings, convert, load, variable

NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}


def test_defaults_when_nothing_is_set() -> None:
    """Without any source every setting has its default and says so."""
    loaded = load(environ=NOWHERE)
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}


def test_environment_wins_over_argument_over_file(tmp_path: Path) -> None:
    """The environment comes first, then the argument, then the file."""
    file = tmp_path / "spyglass.toml"
    file.write_text('service = "file"\nproject = "file"\ncontent = "off"\n')
    environ = {"SPYGLASS_CONFIG": str(file), "SPYGLASS_SERVICE": "environment"}
    loaded = load({"service": "argument", "project": "argument", "release": None}, environ)
    assert (loaded.settings.service, loaded.settings.project, loaded.settings.content) == (
        "environment",
        "argument",
        "off",
    )
    assert [loaded.sources[name] for name in ("service", "project", "content", "release")] == [
        "environment",
        "argument",
        f"file {file}",
        "default",
    ]


def test_what_a_parent_process_set_by_itself_comes_last(tmp_path: Path) -> None:
    """Variables that SPYGLASS_HANDED names go behind arguments and the file, and before defaults."""
    file = tmp_path / "spyglass.toml"
    file.write_text('content = "off"\n')
    handed = {"SPYGLASS_CONTENT": "full", "SPYGLASS_TOKEN_FILE": "/t", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://parent"}
    environ = {"SPYGLASS_CONFIG": str(file), "SPYGLASS_HANDED": ",".join([*handed, "SPYGLASS_GONE"]), **handed}
    loaded = load({"endpoint": "http://argument"}, environ)
    assert (loaded.settings.content, loaded.settings.endpoint) == ("off", "http://argument")
    assert (loaded.settings.token_file, loaded.sources["token_file"]) == ("/t", "parent process")
    assert loaded.unknown == ()


def test_otel_variables_are_honoured_unless_ours_is_set() -> None:
    """OTEL_SERVICE_NAME names the service, but SPYGLASS_SERVICE wins."""
    assert load(environ=NOWHERE | {"OTEL_SERVICE_NAME": "otel"}).settings.service == "otel"
    both = NOWHERE | {"OTEL_SERVICE_NAME": "otel", "SPYGLASS_SERVICE": "ours"}
    assert load(environ=both).settings.service == "ours"


def test_unknown_variable_is_reported_with_the_nearest_name() -> None:
    """A misspelt variable does not raise, but is reported with the name that was meant."""
    (error,) = load(environ=NOWHERE | {"SPYGLASS_CONTNET": "full"}).unknown
    assert str(error) == "SPYGLASS_CONTNET: no such setting. Did you mean SPYGLASS_CONTENT?"


def test_unknown_name_in_the_file_is_an_error(tmp_path: Path) -> None:
    """A misspelt name in the file raises and names the file and the name that was meant."""
    file = tmp_path / "spyglass.toml"
    file.write_text("contnet = 'full'\n")
    with pytest.raises(SettingError, match=r"contnet: no such setting \(in .*spyglass.toml\). Did you mean content\?"):
        load(environ={"SPYGLASS_CONFIG": str(file)})


@pytest.mark.parametrize("text", ["content = ", "\x00", "[[["])
def test_broken_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    """A file that is no TOML raises with its path."""
    file = tmp_path / "spyglass.toml"
    file.write_text(text)
    with pytest.raises(InputFileError, match=r"spyglass.toml: not a TOML file"):
        load(environ={"SPYGLASS_CONFIG": str(file)})


def test_named_file_must_exist() -> None:
    """A file named by SPYGLASS_CONFIG that is not there raises; the default place may be empty."""
    with pytest.raises(InputFileError, match="Mend SPYGLASS_CONFIG"):
        load(environ={"SPYGLASS_CONFIG": "/nonexistent/spyglass.toml"})


def test_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """A password in the file raises, because a secret belongs in no file of settings."""
    file = tmp_path / "spyglass.toml"
    file.write_text("warehouse_admin_password = 'x'\n")
    with pytest.raises(SettingError, match="Set SPYGLASS_WAREHOUSE_ADMIN_PASSWORD instead"):
        load(environ={"SPYGLASS_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("queue_size", "many", "SPYGLASS_QUEUE_SIZE: 'many' is not a whole number."),
        ("queue_size", 1.5, "SPYGLASS_QUEUE_SIZE: 1.5 is not a whole number."),
        ("demo", "perhaps", "SPYGLASS_DEMO: 'perhaps' is not true or false."),
        ("content", "some", "SPYGLASS_CONTENT: 'some' is none of off, metadata, full."),
        ("service", ["a"], "SPYGLASS_SERVICE: ['a'] is not text."),
    ],
)
def test_wrong_values_are_named(name: str, value: object, sentence: str) -> None:
    """A value of the wrong type or choice raises a sentence with the variable and what was expected."""
    with pytest.raises(SettingError) as raised:
        convert(name, value)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(("word", "value"), [("1", True), ("TRUE", True), (" on ", True), ("no", False), ("0", False)])
def test_words_for_true_and_false(word: str, value: bool) -> None:  # noqa: FBT001 -- the expectation
    """The usual words for true and false are understood in any case."""
    assert convert("demo", word) is value


def test_ports_are_shifted_together() -> None:
    """The offset is added to every port."""
    settings = load(environ=NOWHERE | {"SPYGLASS_PORT_OFFSET": "2000"}).settings
    assert settings.port("otlp_http") == 6318
    assert all(settings.port(name) == port for name, port in settings.ports().items())


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SPYGLASS_PORT_OFFSET": "500"}, "500 is not a multiple of 1000"),
        ({"SPYGLASS_PORT_OFFSET": "-1000"}, "-1000 is not a multiple of 1000"),
        ({"SPYGLASS_PORT_OFFSET": "62000"}, "is not a port"),
        ({"SPYGLASS_PORT_TEMPO": "9090"}, "port 9090 is also that of SPYGLASS_PORT_PROMETHEUS"),
    ],
)
def test_ports_that_cannot_be_are_refused(environ: dict[str, str], sentence: str) -> None:
    """Offsets that are no multiple of 1000, ports out of range and ports used twice raise."""
    with pytest.raises(SettingError, match=sentence):
        load(environ=NOWHERE | environ)


@given(
    st.sampled_from(sorted(ROWS)),
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text())),
)
def test_any_value_is_converted_or_named(name: str, value: object) -> None:
    """Whatever is given, the result has the setting's type, or the error names the variable."""
    try:
        converted = convert(name, value)
    except SettingError as error:
        assert variable(name) in str(error)  # noqa: PT017 -- hypothesis wants both outcomes in one test
    else:
        assert type(converted) is type(ROWS[name].default)
