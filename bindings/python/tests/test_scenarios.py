"""Each scenario gives, through Python, the full result that its golden file holds."""

import json

import pytest

import scenarios
from conftest import PACKS, ROOT, ROOT_JSON

FILES = sorted((ROOT / "tests/scenarios").glob("*.json"))


def without_why(golden):
    for move in golden["moves"]:
        move.pop("why", None)
    return golden


def test_there_are_scenarios():
    assert len(FILES) >= 10


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(file, tmp_path):
    golden = json.loads((ROOT / "tests/golden" / file.name).read_text(encoding="utf-8"))
    result = scenarios.run(file, tmp_path, ROOT_JSON, PACKS)
    for part in golden:
        assert result[part] == without_why(golden)[part], part
