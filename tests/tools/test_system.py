"""System packages: installed as root, named in one line otherwise."""

import os
from pathlib import Path

import pytest
from places_on_disk import Places

from wg.process import ToolError
from wg.setup import system
from wg.setup.system import Need

CALC = Need("a calculator", ("bc", "dc"), lambda: False)
MAKE = Need("make", ("make",), lambda: True)


def test_what_is_there_is_not_asked_for() -> None:
    assert system.missing((CALC, MAKE)) == [CALC]


def test_without_root_one_line_says_what_to_do(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ToolError) as caught:
        system.install_missing((CALC, MAKE))
    text = str(caught.value)
    assert "\n" not in text
    assert "a calculator" in text and text.endswith("apt-get install bc dc")
    assert "install" not in places.asked()


def test_what_is_optional_stops_nothing(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system.install_missing((Need("a calculator", ("bc",), lambda: False, optional=True), MAKE))
    assert "apt-get install bc. Without it some tests are skipped" in capsys.readouterr().err
    with pytest.raises(ToolError, match="a calculator.*apt-get install lpr bc dc"):
        system.install_missing((Need("a printer", ("lpr",), lambda: False, optional=True), CALC))


def test_root_installs_by_apt(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    need = Need("a calculator", ("bc",), lambda: "install" in places.asked())
    system.install_missing((need,))
    assert places.asked().splitlines() == ["update -q", "install -y -q --no-install-recommends bc"]


def test_an_installation_that_does_not_help_is_an_error(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(
        ToolError, match="missing on this machine: a calculator.*\nThis is so after the installation of bc dc"
    ):
        system.install_missing((CALC,))


def test_a_failing_apt_still_says_what_is_missing(
    places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "bin/apt-get").write_text("#!/bin/sh\necho no network >&2\nexit 100\n")
    with pytest.raises(
        ToolError, match="missing on this machine: a calculator.*\n.*exit code 100:\nno network"
    ):
        system.install_missing((CALC,))


def test_the_real_list_names_packages() -> None:
    packages = [package for need in system.NEEDS for package in need.packages]
    assert {"build-essential", "gcc-multilib", "git", "python3-venv", "clang", "libclang-rt-dev"} <= set(
        packages
    )
