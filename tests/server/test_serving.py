"""What is wrong is said before a server starts, with exit code 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from small import PLAN

from abm.cli import build_parser, main
from abm.errors import ConfigError
from abm.view.server import serving


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(PLAN, sort_keys=False), encoding="utf-8")
    return str(path)


def test_missing_extras_are_named_with_the_command(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    assert main(["serve", config, "--no-browser"]) == 2
    assert 'the page needs solara, uvicorn, ipyvuetify, ipyvue; install with: pip install -e ".[viz]"' in (
        capsys.readouterr().err
    )


def test_missing_browser_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lacks the browser's files"):
        serving.require_assets(tmp_path)


def test_a_taken_port_is_a_sentence(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: name)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", config, "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another --port" in capsys.readouterr().err


def test_a_folder_without_results_and_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(tmp_path), "--no-browser"]) == 2
    assert "holds no results" in capsys.readouterr().err
    assert main(["serve", str(tmp_path / "none.yaml"), "--no-browser"]) == 2


def test_it_listens_on_this_machine_only_unless_told() -> None:
    assert build_parser().parse_args(["serve"]).host == "127.0.0.1"
