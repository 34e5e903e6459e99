"""The configuration of Alertmanager that the settings make."""

import itertools
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spyglass.errors import SettingError
from spyglass.settings import Settings
from spyglass.stack import alerting
from tests.alertmanager.conftest import Program

RECEIVERS = ("slack", "pagerduty", "email", "webhook")
CHOICES = [
    chosen for length in range(len(RECEIVERS) + 1) for chosen in itertools.combinations(RECEIVERS, length)
]  # all 16


def given(folder: Path, *receivers: str) -> dict[str, Any]:
    """Return settings that switch these receivers on, with their secret files in the folder."""
    secrets = {
        "slack": "http://127.0.0.1:1/hook",
        "pagerduty": "r0uting",
        "email": "m4il",
        "webhook": "https://a.test/x",
    }
    for name, text in secrets.items():
        (folder / name).write_text(f"{text}\n")
    settings = {
        "slack": {"slack_webhook_file": str(folder / "slack"), "slack_channel": "#agents"},
        "pagerduty": {"pagerduty_key_file": str(folder / "pagerduty")},
        "email": {
            "email_to": "you@example.org",
            "email_from": "spyglass@example.org",
            "email_smarthost": "mail.example.org:587",
            "email_user": "spyglass",
            "email_password_file": str(folder / "email"),
        },
        "webhook": {"webhook_url_file": str(folder / "webhook")},
    }
    return {key: value for name in receivers for key, value in settings[name].items()}


def written(folder: Path, config: dict[str, object]) -> str:
    """Write a configuration and return its path."""
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return str(path)


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_amtool_accepts_every_choice_of_receivers(chosen: tuple[str, ...], program: Program, tmp_path: Path) -> None:
    """Each of the 16 choices is a configuration that the real amtool accepts, with these receivers and the inbox."""
    config = alerting.config(Settings(**given(tmp_path, *chosen)))
    done = subprocess.run(
        [program("amtool"), "check-config", written(tmp_path, config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    receivers: Any = config["receivers"]
    assert [receiver["name"] for receiver in receivers] == ["inbox", *chosen]
    assert alerting.switched_on(Settings(**given(tmp_path, *chosen))) == ["inbox", *chosen]


@pytest.mark.parametrize(
    ("chosen", "labels", "expected"),
    [
        ((), ["severity=high"], "inbox"),
        (RECEIVERS, ["severity=low", "organization=acme"], "inbox,slack,pagerduty,email,webhook"),
        (RECEIVERS, ["severity=critical", "organization=acme"], "inbox,slack,pagerduty,email,webhook"),
        (RECEIVERS, ["severity=high"], "inbox,slack,pagerduty,email,webhook"),
        (RECEIVERS, ["severity=critical", "organization=demo"], "inbox"),
        (("slack",), ["severity=low", "organization=demo"], "inbox"),
        (("slack",), ["severity=medium", "organization=demonstration"], "inbox,slack"),
    ],
)
def test_routes(chosen: tuple[str, ...], labels: list[str], expected: str, program: Program, tmp_path: Path) -> None:
    """Every alert reaches the inbox and all receivers that are on; one of the demo organization only the inbox."""
    path = written(tmp_path, alerting.config(Settings(**given(tmp_path, *chosen))))
    command = [program("amtool"), "config", "routes", "test", f"--config.file={path}", f"--verify.receivers={expected}"]
    done = subprocess.run([*command, *labels], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_secret_is_in_the_configuration(tmp_path: Path) -> None:
    """The configuration names the files with secrets, never what is in them."""
    text = Path(written(tmp_path, alerting.config(Settings(**given(tmp_path, *RECEIVERS))))).read_text()
    for name in RECEIVERS:
        assert str(tmp_path / name) in text
        assert (tmp_path / name).read_text().strip() not in text


def test_the_inbox_is_at_the_port_of_the_server() -> None:
    """The inbox is called at the server's port with the stack's offset."""
    receivers: Any = alerting.config(Settings(port_offset=3000))["receivers"]
    assert receivers[0]["webhook_configs"][0]["url"] == "http://127.0.0.1:11400/api/alerts/inbox"


@pytest.mark.parametrize(
    ("smarthost", "required"),
    [
        ("mail.example.org:587", True),
        ("192.0.2.7:25", True),
        ("localhost.example.org:25", True),
        ("127.0.0.1:25", False),
        ("localhost:25", False),
        ("[::1]:25", False),
    ],
)
def test_mail_is_encrypted_beyond_loopback(smarthost: str, required: object, tmp_path: Path) -> None:
    """TLS is required unless the mail server is on this machine."""
    settings = Settings(**{**given(tmp_path, "email"), "email_smarthost": smarthost})
    receivers: Any = alerting.config(settings)["receivers"]
    assert receivers[1]["email_configs"][0]["require_tls"] is required


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        ("email_to", "SPYGLASS_EMAIL_TO"),
        ("email_from", "SPYGLASS_EMAIL_FROM"),
        ("email_smarthost", "SPYGLASS_EMAIL_SMARTHOST"),
        ("email_user", "SPYGLASS_EMAIL_USER"),
        ("email_password_file", "SPYGLASS_EMAIL_PASSWORD_FILE"),
        ("slack_webhook_file", "SPYGLASS_SLACK_WEBHOOK_FILE"),
    ],
)
def test_half_a_receiver_is_refused(left_out: str, named: str, tmp_path: Path) -> None:
    """A receiver that has some of its settings is refused, and the error names the missing one."""
    settings = given(tmp_path, *RECEIVERS)
    del settings[left_out]
    with pytest.raises(SettingError, match=f"^{named}: not set, though SPYGLASS_") as raised:
        alerting.config(Settings(**settings))
    assert raised.value.remedy


def test_mail_without_a_login_and_slack_without_a_channel_are_whole(tmp_path: Path) -> None:
    """User and password of a mail server, and Slack's channel, may both be absent."""
    settings = given(tmp_path, "email", "slack")
    for name in ("email_user", "email_password_file", "slack_channel"):
        del settings[name]
    receivers: Any = alerting.config(Settings(**settings))["receivers"]
    assert "channel" not in receivers[1]["slack_configs"][0]
    assert not {"auth_username", "auth_password_file"} & set(receivers[2]["email_configs"][0])


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_secret_that_cannot_be_had_is_refused(receiver: str, tmp_path: Path) -> None:
    """A secret's file that is missing or empty is refused by name; what it holds is never told."""
    settings = given(tmp_path, receiver)
    (tmp_path / receiver).write_text(" \n")
    with pytest.raises(SettingError, match=r"_FILE: .* is empty"):
        alerting.config(Settings(**settings))
    (tmp_path / receiver).unlink()
    with pytest.raises(SettingError, match=r"_FILE: .* cannot be read \(No such file or directory\)"):
        alerting.config(Settings(**settings))


def test_an_address_that_is_none_is_refused_without_telling_it(tmp_path: Path) -> None:
    """A webhook's file that holds no http address is refused, because Alertmanager would fail at the first alert."""
    settings = given(tmp_path, "webhook")
    (tmp_path / "webhook").write_text("s3cret")
    with pytest.raises(SettingError, match="does not hold one http or https address") as raised:
        alerting.config(Settings(**settings))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("smarthost", ["mail.example.org", "mail.example.org:smtp", ":25", "::1:25"])
def test_a_mail_server_without_a_port_is_refused(smarthost: str, tmp_path: Path) -> None:
    """A mail server that is not host:port is refused, with an example."""
    settings = Settings(**{**given(tmp_path, "email"), "email_smarthost": smarthost})
    with pytest.raises(
        SettingError, match=r"SPYGLASS_EMAIL_SMARTHOST: .* is not host:port\. Write mail\.example\.org:587\."
    ):
        alerting.config(settings)
