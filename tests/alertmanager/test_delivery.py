"""What a real Alertmanager sends with our configuration and templates, to sinks on loopback."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from spyglass.settings import Settings
from spyglass.stack import alerting
from tests.alertmanager.conftest import (
    PAGERDUTY,
    SLACK,
    MailSink,
    Program,
    WebSink,
    alertmanager,
    eventually,
    post,
    serving,
)

pytestmark = pytest.mark.stack

INBOX, WEBHOOK = "/api/alerts/inbox", "/hook"
RUNBOOK = "http://127.0.0.1:8400/runbooks/AgentErrorRateHigh"
DASHBOARD = "http://127.0.0.1:3000/d/spyglass-overview?var-organization=acme&var-agent=planner"


class Delivery:
    """Hold a running Alertmanager and the sinks behind its receivers."""

    def __init__(self, url: str, web: WebSink, mail: MailSink) -> None:
        self.url = url
        self.web = web
        self.mail = mail

    def raise_alert(self, labels: dict[str, str], *, ended: bool = False) -> None:
        """Tell Alertmanager of one alert as Prometheus does."""
        now = datetime.now(UTC)
        alert = {
            "labels": {
                "alertname": "AgentErrorRateHigh",
                "severity": "high",
                "owner": "agents",
                "component": "agent",
                "organization": "acme",
                "project": "shop",
                "agent": "planner",
                **labels,
            },
            "annotations": {
                "summary": f"Agent {labels.get('agent', 'planner')} fails 50% of its runs",
                "description": "10 of 20 runs <failed> & burned; the limit is 20 % of at least 10 runs.",
                "runbook_url": RUNBOOK,
                "dashboard_url": DASHBOARD,
            },
            "startsAt": (now - timedelta(seconds=30) if ended else now).isoformat(),
            "endsAt": (now - timedelta(seconds=1) if ended else now + timedelta(minutes=5)).isoformat(),
            "generatorURL": "http://127.0.0.1:9090/graph",
        }
        post(f"{self.url}/api/v2/alerts", [alert])

    def arrived(self, path: str, status: str = "firing", **labels: str) -> list[dict[str, Any]]:
        """Return the webhook messages of a status at a path whose group has these labels."""
        return [
            message
            for message in self.web.at(path)
            if message["status"] == status and labels.items() <= message["groupLabels"].items()
        ]


@contextmanager
def delivering(program: Program, folder: Path) -> Iterator[Delivery]:
    """Run Alertmanager with all four receivers on and short intervals, with sinks behind them."""
    web, mail = WebSink(), MailSink()
    for name, text in {"slack": web.url + SLACK, "webhook": web.url + WEBHOOK, "pagerduty": "r0uting"}.items():
        (folder / name).write_text(text)
    config: dict[str, Any] = alerting.config(
        Settings(
            port_server=web.port,
            slack_webhook_file=str(folder / "slack"),
            slack_channel="#agents",
            pagerduty_key_file=str(folder / "pagerduty"),
            webhook_url_file=str(folder / "webhook"),
            email_to="you@example.org",
            email_from="spyglass@example.org",
            email_smarthost=mail.address,
        )
    )
    # What stands on the internet stands here, and the waits of the milder alerts are short; all else is as shipped.
    config["global"]["pagerduty_url"] = web.url + PAGERDUTY
    config["route"]["group_interval"] = config["route"]["group_wait"] = "1s"
    with serving(web, mail), alertmanager(program, config, folder) as url:
        yield Delivery(url, web, mail)


@pytest.fixture(scope="module")
def delivery(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """Give one Alertmanager for all tests; each uses an agent of its own."""
    with delivering(program, tmp_path_factory.mktemp("delivery")) as running:
        yield running


def text_of(mail: EmailMessage, kind: str) -> str:
    """Return the part of a mail of this kind (plain or html)."""
    part = cast("EmailMessage", mail.get_body((kind,)))
    return str(part.get_content())


def mails(delivery: Delivery, word: str) -> list[EmailMessage]:
    """Return the mails whose subject has this word."""
    found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in delivery.mail.mails]
    return [mail for mail in found if word in str(mail["Subject"])]


def named(delivery: Delivery, path: str, word: str) -> list[dict[str, Any]]:
    """Return the messages at a path that hold a word."""
    return [message for message in delivery.web.at(path) if word in str(message)]


def test_one_fault_is_one_message_to_inbox_and_webhook(delivery: Delivery) -> None:
    """An alert reaches inbox and webhook once, as Alertmanager's JSON with the group's labels, and so does its end."""
    delivery.raise_alert({"agent": "machines"})
    for path, receiver in ((INBOX, "inbox"), (WEBHOOK, "webhook")):
        (message,) = eventually(partial(delivery.arrived, path, agent="machines"))
        assert (message["version"], message["receiver"]) == ("4", receiver)
        assert message["groupLabels"] == {
            "alertname": "AgentErrorRateHigh",
            "organization": "acme",
            "project": "shop",
            "agent": "machines",
        }
        assert message["alerts"][0]["annotations"]["runbook_url"] == RUNBOOK
    delivery.raise_alert({"agent": "machines"}, ended=True)
    for path in (INBOX, WEBHOOK):
        (message,) = eventually(partial(delivery.arrived, path, "resolved", agent="machines"))
        assert [alert["status"] for alert in message["alerts"]] == ["resolved"]


def test_slack_gets_title_text_and_links_and_the_end_in_another_colour(delivery: Delivery) -> None:
    """Slack's attachment has a title with a link, an escaped text with runbook and dashboard, and a status colour."""
    delivery.raise_alert({"agent": "slacker"})
    (message,) = eventually(lambda: named(delivery, SLACK, "slacker"))
    (attachment,) = message["attachments"]
    assert message["channel"] == "#agents"
    assert attachment["title"] == "[FIRING:1 · HIGH] AgentErrorRateHigh · slacker · acme/shop"
    assert (attachment["title_link"], attachment["color"]) == (DASHBOARD, "#D55E00")
    assert "10 of 20 runs &lt;failed&gt; &amp; burned" in attachment["text"]
    assert f"<{RUNBOOK}|Runbook>" in attachment["text"]
    assert f"<{DASHBOARD}|Dashboard>" in attachment["text"]
    delivery.raise_alert({"agent": "slacker"}, ended=True)
    both = eventually(lambda: named(delivery, SLACK, "slacker"), lambda found: len(found) > 1)
    assert both[1]["attachments"][0]["color"] == "#009E73"
    assert both[1]["attachments"][0]["title"].startswith("[RESOLVED · HIGH]")


def test_pagerduty_opens_and_closes_one_incident(delivery: Delivery) -> None:
    """PagerDuty gets a trigger with severity, component, details and runbook, and a resolve with the same key."""
    delivery.raise_alert({"agent": "pager"})
    (page,) = eventually(lambda: named(delivery, PAGERDUTY, "pager"))
    assert (page["event_action"], page["routing_key"]) == ("trigger", "r0uting")
    assert page["payload"]["severity"] == "error"
    assert page["payload"]["summary"] == "[FIRING:1 · HIGH] AgentErrorRateHigh · pager · acme/shop"
    assert (page["payload"]["component"], page["payload"]["group"]) == ("agent", "acme")
    assert page["links"] == [{"href": RUNBOOK, "text": "Runbook"}]
    assert "10 of 20 runs" in str(page["payload"]["custom_details"])
    delivery.raise_alert({"agent": "pager"}, ended=True)
    key = page["dedup_key"]
    events = eventually(
        lambda: [m["event_action"] for m in delivery.web.at(PAGERDUTY) if m["dedup_key"] == key],
        lambda found: len(found) > 1,
    )
    assert events == ["trigger", "resolve"]


@pytest.mark.parametrize(
    ("severity", "expected"), [("low", "info"), ("medium", "warning"), ("high", "error"), ("critical", "critical")]
)
def test_pagerduty_knows_how_bad_it_is(severity: str, expected: str, delivery: Delivery) -> None:
    """Each severity has its own among PagerDuty's; the lower ones wait a little for company."""
    delivery.raise_alert({"agent": f"how-{severity}", "severity": severity})
    (page,) = eventually(lambda: named(delivery, PAGERDUTY, f"how-{severity}"))
    assert page["payload"]["severity"] == expected


def test_a_mail_has_a_page_and_a_plain_text(delivery: Delivery) -> None:
    """The mail's subject is the title; its HTML is escaped and has links, its text is plain."""
    delivery.raise_alert({"agent": "mailer"})
    (mail,) = eventually(lambda: mails(delivery, "mailer"))
    assert (mail["To"], mail["From"]) == ("you@example.org", "spyglass@example.org")
    assert mail["Subject"] == "[FIRING:1 · HIGH] AgentErrorRateHigh · mailer · acme/shop"
    assert "10 of 20 runs &lt;failed&gt; &amp; burned" in text_of(mail, "html")
    assert f'<a href="{RUNBOOK}">Runbook</a>' in text_of(mail, "html")
    assert f"Runbook: {RUNBOOK}" in text_of(mail, "plain")
    assert "<failed> & burned" in text_of(mail, "plain")
    delivery.raise_alert({"agent": "mailer"}, ended=True)
    both = eventually(lambda: mails(delivery, "mailer"), lambda found: len(found) > 1)
    assert both[1]["Subject"].startswith("[RESOLVED · HIGH]")


def test_what_belongs_together_comes_together(delivery: Delivery) -> None:
    """Two services' alerts of one agent are one message; another agent's is another."""
    delivery.raise_alert({"agent": "grouped", "service": "one"})
    delivery.raise_alert({"agent": "grouped", "service": "two"})
    delivery.raise_alert({"agent": "apart", "service": "one"})
    eventually(lambda: delivery.arrived(INBOX, agent="apart"))
    (message,) = eventually(lambda: delivery.arrived(INBOX, agent="grouped"))
    assert {alert["labels"]["service"] for alert in message["alerts"]} == {"one", "two"}


def test_a_message_about_many_alerts_names_ten(delivery: Delivery) -> None:
    """A message of 25 alerts is whole for machines, and for humans names ten and says how many there are."""
    for number in range(25):
        delivery.raise_alert({"agent": "many", "service": f"service-{number:02}"})
    eventually(lambda: sum(len(m["alerts"]) for m in delivery.arrived(INBOX, agent="many")), lambda n: n >= 25)
    texts = eventually(lambda: [m["attachments"][0]["text"] for m in delivery.web.at(SLACK) if "25 alerts" in str(m)])
    assert texts[-1].count("Agent many fails") == 10
    assert "25 alerts in all, the first 10 are shown." in texts[-1]


def test_a_worse_state_silences_the_milder_one(delivery: Delivery) -> None:
    """While an alert is critical, the same alert in a lower severity is not told; that of another agent is."""
    delivery.raise_alert({"agent": "worse", "severity": "critical"})
    eventually(lambda: delivery.arrived(INBOX, agent="worse"))
    for severity in ("low", "medium", "high"):
        delivery.raise_alert({"agent": "worse", "severity": severity})
    delivery.raise_alert({"agent": "better", "severity": "high"})
    eventually(lambda: delivery.arrived(INBOX, agent="better"))
    told = {
        alert["labels"]["severity"]
        for path in (INBOX, WEBHOOK)
        for message in delivery.arrived(path, agent="worse")
        for alert in message["alerts"]
    }
    assert told == {"critical"}
    # It comes when the worse one ends, so it was held back, not lost.
    delivery.raise_alert({"agent": "worse", "severity": "critical"}, ended=True)
    eventually(lambda: [m for m in delivery.arrived(WEBHOOK, agent="worse") if "'severity': 'high'" in str(m)])


def test_demo_alerts_reach_the_inbox_only(delivery: Delivery) -> None:
    """An alert of the demo organization is kept in the inbox and wakes nobody."""
    delivery.raise_alert({"agent": "show", "organization": "demo"})
    delivery.raise_alert({"agent": "after-the-show"})
    eventually(lambda: delivery.arrived(INBOX, agent="show"))
    eventually(lambda: mails(delivery, "after-the-show"))
    for path in (SLACK, PAGERDUTY, WEBHOOK):
        eventually(partial(named, delivery, path, "after-the-show"))
    told = [where for where, message in delivery.web.messages if "'show'" in str(message) or "· show" in str(message)]
    assert told == [INBOX]
    assert not mails(delivery, "· show")


@pytest.mark.parametrize("missing", ["agent", "project", "organization", "severity", "service", "component", "owner"])
def test_messages_do_without_any_optional_label(missing: str, delivery: Delivery) -> None:
    """No label is needed for a message: a template that fails would drop the page."""
    delivery.raise_alert({"alertname": f"Without{missing}", missing: ""})
    for path in (INBOX, WEBHOOK, SLACK, PAGERDUTY):
        eventually(partial(named, delivery, path, f"Without{missing}"))
    eventually(lambda: mails(delivery, f"Without{missing}"))
