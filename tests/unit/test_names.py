import re

from hatch_build import FOLDERS as BUILT_FOLDERS
from spyglass import names
from spyglass.assets import FOLDERS, folder

CONSTANTS = {key: value for key, value in vars(names).items() if key.isupper() and isinstance(value, str)}


def test_no_two_constants_name_the_same_thing() -> None:
    """Each attribute has one constant; only our own markers may repeat a word."""
    attributes = [value for value in CONSTANTS.values() if "." in value]
    assert len(attributes) == len(set(attributes))


def test_own_names_are_lower_case_with_dots() -> None:
    """Our own attributes and metrics are dotted lower-case words, as OpenTelemetry's naming rules ask."""
    own = [value for value in CONSTANTS.values() if value.startswith("spyglass.")] + [row.name for row in names.METRICS]
    assert [name for name in own if not re.fullmatch(r"spyglass(\.[a-z][a-z0-9_]*)+", name)] == []


def test_metrics_are_listed_once_with_a_sentence() -> None:
    """The list of metrics holds every metric of the module, each with a sentence."""
    defined = [value for value in vars(names).values() if isinstance(value, names.Metric)]
    assert sorted(defined) == sorted(names.METRICS)
    assert all(row.sentence.endswith(".") for row in names.METRICS)


def test_build_and_runtime_agree_on_the_folders() -> None:
    """The wheel carries exactly the folders that assets looks for, and each exists."""
    assert BUILT_FOLDERS == FOLDERS
    assert [name for name in FOLDERS if not folder(name).is_dir()] == []
