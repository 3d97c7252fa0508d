"""The Xtensa board: started as a command, like the simulated one; what was counted and measured is told at the end.

From the Makefile: WG_XTENSA_TOTAL asks for one last line over all assertions, WG_XTENSA_WHOLE says that all tests run,
WG_XTENSA_ONCE that what `make test-xtensa` passed with the same inputs need not run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from results import BUILD, RESULTS, keep_passed, measured, passed_before, table, write


@pytest.fixture(scope="session")
def xtensa() -> Path:
    """The board's command, which takes the options of the simulated board's."""
    path = BUILD / "wgdisplay"
    if not path.exists():
        pytest.fail("build/xtensa-qemu/wgdisplay is not built: run `make xtensa`", pytrace=False)
    return path


HERE = Path(__file__).parent


def _suite(request: pytest.FixtureRequest) -> str:
    return Path(request.node.fspath).stem.removeprefix("test_").removesuffix("_board")


@pytest.fixture(autouse=True)
def suite(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the test's file, for what is counted and measured in it."""
    with measured(_suite(request)):
        yield _suite(request)


@pytest.fixture
def count(suite: str) -> Callable[..., None]:
    """`count(passed, failed, skipped)`: assertions of a suite that is one test for pytest."""

    def add(passed: int, failed: int = 0, skipped: int = 0) -> None:
        write({"suite": suite, "passed": passed, "failed": failed, "skipped": skipped})

    return add


def _on_a_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if not _on_a_worker(config):
        RESULTS.unlink(missing_ok=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("WG_XTENSA_ONCE") and passed_before():
        ours = {item for item in items if item.path.is_relative_to(HERE)}
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=list(ours))


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int) -> None:
    lines, passed, failed = table()
    if not lines:
        return
    terminalreporter.section("Xtensa under QEMU")
    for line in lines:
        terminalreporter.line(line)
    if os.environ.get("WG_XTENSA_TOTAL"):
        stats = terminalreporter.stats
        passed += len(stats.get("passed", []))
        failed += len(stats.get("failed", [])) + len(stats.get("error", []))
        total = f"{passed} passed, {failed} failed"
        terminalreporter.config._wg_total = total
        if os.environ.get("WG_XTENSA_WHOLE") and exitstatus == 0:
            keep_passed([*lines, total])


def pytest_unconfigure(config: pytest.Config) -> None:
    total = getattr(config, "_wg_total", None)
    if total:
        print(total)
