import pytest

from spyglass.errors import UsageError
from spyglass.settings import PORT_ROWS
from spyglass.stack.parts import PARTS, choose


def test_every_part_needs_only_parts_before_it() -> None:
    """The table is in an order in which the parts can start, so nothing waits for itself."""
    seen: set[str] = set()
    for name, part in PARTS.items():
        assert set(part.needs) <= seen, name
        seen.add(name)


def test_every_port_belongs_to_one_part() -> None:
    """Each port of the settings is checked for exactly one part, and each readiness is at one of the part's ports."""
    ports = [port for part in PARTS.values() for port in part.ports]
    assert sorted(ports) == sorted(row.name.removeprefix("port_") for row in PORT_ROWS)
    assert all(part.ready[0] in part.ports for part in PARTS.values() if part.ready)


def test_the_warehouse_outlives_what_writes_to_it() -> None:
    """The collector needs the warehouse, so it is started after it and stopped before it."""
    assert "warehouse" in PARTS["collector"].needs
    assert "collector" in PARTS["server"].needs


def test_all_parts_are_chosen_but_grafana_only_where_there_is_one() -> None:
    """Without names every part is chosen; Grafana is one only on a machine that has it."""
    with_grafana = [part.name for part in choose((), grafana=True)]
    assert with_grafana == list(PARTS)
    assert [part.name for part in choose((), grafana=False)] == [name for name in with_grafana if name != "grafana"]


def test_named_parts_come_in_the_order_of_the_table() -> None:
    """Parts start in their order, whatever order they are named in."""
    assert [part.name for part in choose(("tempo", "warehouse"), grafana=False)] == ["warehouse", "tempo"]


@pytest.mark.parametrize(("name", "said"), [("collectr", "no part 'collectr'"), ("grafana", "no Grafana")])
def test_what_is_not_there_cannot_be_chosen(name: str, said: str) -> None:
    """A name that is no part, and Grafana where there is none, are refused."""
    with pytest.raises(UsageError, match=said):
        choose((name,), grafana=False)
