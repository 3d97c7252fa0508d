"""Keys for the tests of updates."""

from __future__ import annotations

import pytest

from wg.release import keys


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> keys.SigningKey:
    """A key that the tests' firmware trusts."""
    return keys.new("owner", tmp_path_factory.mktemp("keys"))
