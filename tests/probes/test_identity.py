from pathlib import Path

from spyglass.probes.identity import SERVICE, host_resource, instance_id
from spyglass.settings import Settings


def test_same_host_same_instance(tmp_path: Path) -> None:
    """An instance stays the same over restarts, and differs by host name and by machine id."""
    machine, other = tmp_path / "machine-id", tmp_path / "other"
    machine.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    other.write_text("00000000000000000000000000000000\n")
    ids = [instance_id("a", machine), instance_id("b", machine), instance_id("a", other)]
    assert len(set(ids)) == 3
    assert ids[0] == instance_id("a", machine)
    assert "3d1219" not in ids[0]


def test_host_without_machine_id(tmp_path: Path) -> None:
    """Without a machine id the host's name decides."""
    missing = tmp_path / "missing"
    assert instance_id("a", missing) == instance_id("a", missing) != instance_id("b", missing)


def test_resource(tmp_path: Path) -> None:
    """The resource names service, instance and host, and only what the settings have beside them."""
    bare = host_resource(Settings(service="an agent"), host="box", machine_id=tmp_path / "missing")
    assert bare["service.name"] == SERVICE
    assert bare["host.name"] == "box"
    assert set(bare) == {"service.name", "service.version", "service.instance.id", "host.name"}
    full = host_resource(
        Settings(organization="acme", project="web", environment="production", demo=True), host="box"
    ).items()
    assert {
        "spyglass.organization": "acme",
        "spyglass.project": "web",
        "deployment.environment.name": "production",
        "spyglass.demo": "true",
    }.items() <= full
