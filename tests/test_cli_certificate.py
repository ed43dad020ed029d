"""``gdsim critical --certificate`` and ``--verify``: files, messages, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gdsim.cli import main

TWO_WELLS = ("(w^2 - 1)^2", "--domain", "-2", "2")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def critical(*words: str) -> Result:
    return CliRunner().invoke(main, ("critical", *words), prog_name="gdsim")


@pytest.fixture
def proof() -> Path:
    assert critical(*TWO_WELLS, "--certificate", "proof.json").exit_code == 0
    return Path("proof.json")


def test_what_was_written_is_verified(proof: Path) -> None:
    result = critical("--verify", "proof.json")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "proof.json: verified\n  L = (w^2 - 1)^2\n  3 critical points in [-2, 2], "
    )
    assert "and not the search that wrote the file" in result.stdout


def test_the_certificate_of_a_scenario_holds_its_parameters_and_data() -> None:
    Path("fit.yaml").write_text(
        "loss: {expression: mean((w*x - y)^2) + a*w^2, parameters: {a: 0.1}}\n"
        "data: {x: [1, 2, 3], y: [2, 4, 7]}\ninitial_weight: 0\nlearning_rate: 0.1\n",
        encoding="utf-8",
    )
    assert critical("fit.yaml", "--certificate", "fit.json").exit_code == 0
    assert critical("fit.yaml", "--verify", "fit.json").exit_code == 0
    Path("fit.yaml").write_text(Path("fit.yaml").read_text().replace("0.1}", "0.2}"), encoding="utf-8")
    assert critical("fit.yaml", "--verify", "fit.json").exit_code == 3


def test_json_says_what_was_proved_and_what_is_trusted(proof: Path) -> None:
    document: Any = json.loads(critical("--verify", "proof.json", "--json").stdout)
    assert document["verified"] is True
    assert [point["kind"] for point in document["critical_points"]] == ["minimum", "maximum", "minimum"]
    assert set(document) == {
        "verified", "formula", "parameters", "critical_points", "search", "boxes", "trusted"
    }  # fmt: skip


def test_what_the_checker_cannot_show_is_said_to_be_open() -> None:
    result = critical("x^2 + abs(y)", "--domain", "-1", "1", "--certificate", "open.json")
    assert "points shown: 0 of 1; boxes left open: 1" in result.stdout
    verified = critical("--verify", "open.json")
    assert verified.exit_code == 0
    assert "not proved to be all" in verified.stdout
    assert "nothing is shown here" in verified.stdout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_certificate_is_refused(proof: Path, share: float) -> None:
    text = proof.read_text()
    proof.write_text(text[: int(share * len(text))])
    result = critical("--verify", "proof.json")
    assert result.exit_code == 3
    assert result.stderr.startswith("proof.json: refused: it is no whole JSON document")


def test_an_edited_certificate_is_refused(proof: Path) -> None:
    proof.write_text(proof.read_text().replace('"minimum"', '"maximum"'))
    result = critical("--verify", "proof.json", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout) == {
        "verified": False,
        "reason": "it was changed after it was written: its SHA-256 does not agree",
    }


def test_another_loss_or_domain_is_refused(proof: Path) -> None:
    other = critical("(w^2 - 2)^2", "--domain", "-2", "2", "--verify", "proof.json")
    assert (other.exit_code, other.stderr) == (3, "proof.json: refused: it is about another loss\n")
    wider = critical("(w^2 - 1)^2", "--domain", "-3", "3", "--verify", "proof.json")
    assert (wider.exit_code, wider.stderr) == (3, "proof.json: refused: it is about another domain\n")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("w^2", "--certificate", "nowhere/proof.json"),
        ("--verify", "missing.json"),
        ("--verify", "proof.json", "--certificate", "other.json"),
        ("--verify", "proof.json", "--domain", "-1", "1"),
    ],
)
def test_bad_usage_ends_with_2(proof: Path, words: tuple[str, ...]) -> None:
    assert critical(*words).exit_code == 2


def test_a_binary_file_is_refused() -> None:
    Path("proof.json").write_bytes(b"\xff\x00\xfe")
    result = critical("--verify", "proof.json")
    assert (result.exit_code, result.stderr) == (3, "proof.json: refused: it is no text in UTF-8\n")
