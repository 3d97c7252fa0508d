from __future__ import annotations

import pytest
from esp32_port import Project, read_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The configured project, once."""
    return read_project(tmp_path_factory.mktemp("esp32s3"))
