"""wasm3 with our patches: all of a patch applies or none is used, and only what changed is written."""

from pathlib import Path

import pytest
from places_on_disk import git

from wg.process import ToolError
from wg.thirdparty.patch import patch, sources_of, version_of

FIRST = """Why this is.
--- a/m3_env.c
+++ b/m3_env.c
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""

SECOND = """Goes on from the first.
--- a/m3_env.c
+++ b/m3_env.c
@@ -1,3 +1,3 @@
-one
+1
 2
 three
"""


@pytest.fixture
def wasm3(tmp_path: Path) -> Path:
    folder = tmp_path / "wasm3" / "source"
    folder.mkdir(parents=True)
    (folder / "m3_env.c").write_text("one\ntwo\nthree\n")
    (folder / "m3_other.c").write_text("other\n")
    (folder / "wasm3.h").write_text('#define M3_VERSION       "0.5.0"\n')
    return folder.parent


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    folder = tmp_path / "patches"
    (folder / "0.5.0").mkdir(parents=True)
    (folder / "0.5.0" / "0001-first.patch").write_text(FIRST)
    (folder / "0.5.0" / "0002-second.patch").write_text(SECOND)
    return folder


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """A folder that a repository around it ignores, as build/ is: git is easily misled there."""
    repository = tmp_path / "clone"
    repository.mkdir()
    git("init", "-q", cwd=repository)
    (repository / ".gitignore").write_text("/build/\n")
    return repository / "build" / "wasm3"


def test_patches_are_applied_in_order(wasm3: Path, patches: Path, into: Path) -> None:
    made = patch(wasm3, patches, into)
    assert made == into / "0.5.0"
    assert (made / "m3_env.c").read_text() == "1\n2\nthree\n"
    assert (made / "m3_other.c").read_text() == "other\n"
    assert (into / "current").resolve() == made.resolve()
    assert (wasm3 / "source/m3_env.c").read_text() == "one\ntwo\nthree\n"


def test_nothing_is_written_without_a_change(wasm3: Path, patches: Path, into: Path) -> None:
    made = patch(wasm3, patches, into)
    before = {path: path.stat().st_mtime_ns for path in made.iterdir()}
    patch(wasm3, patches, into)
    assert {path: path.stat().st_mtime_ns for path in made.iterdir()} == before


def test_a_changed_patch_writes_what_it_touches(wasm3: Path, patches: Path, into: Path) -> None:
    made = patch(wasm3, patches, into)
    before = (made / "m3_other.c").stat().st_mtime_ns
    second = patches / "0.5.0" / "0002-second.patch"
    second.write_text(SECOND.replace("\n+1\n", "\n+ONE\n"))
    patch(wasm3, patches, into)
    assert (made / "m3_env.c").read_text() == "ONE\n2\nthree\n"
    assert (made / "m3_other.c").stat().st_mtime_ns == before


def test_a_removed_patch_is_taken_back(wasm3: Path, patches: Path, into: Path) -> None:
    patch(wasm3, patches, into)
    (patches / "0.5.0" / "0002-second.patch").unlink()
    assert (patch(wasm3, patches, into) / "m3_env.c").read_text() == "one\n2\nthree\n"


def test_a_patch_that_does_not_apply_is_named(wasm3: Path, patches: Path, into: Path) -> None:
    made = patch(wasm3, patches, into)
    (wasm3 / "source/m3_env.c").write_text("quite\nanother\nfile\n")
    with pytest.raises(ToolError, match="(?s)0001-first.patch does not apply to wasm3 0.5.0.*m3_env.c"):
        patch(wasm3, patches, into)
    # What was there before stays whole.
    assert (made / "m3_env.c").read_text() == "1\n2\nthree\n"


def test_a_file_without_changes_is_no_patch(wasm3: Path, patches: Path, into: Path) -> None:
    (patches / "0.5.0" / "0003-empty.patch").write_text("only words\n")
    with pytest.raises(ToolError, match="0003-empty.patch names no file"):
        patch(wasm3, patches, into)


def test_another_version_has_its_own_folder_and_patches(wasm3: Path, patches: Path, into: Path) -> None:
    patch(wasm3, patches, into)
    (wasm3 / "source/wasm3.h").write_text('#define M3_VERSION       "0.9.0"\n')
    made = patch(wasm3, patches, into)
    assert made == into / "0.9.0"
    assert (made / "m3_env.c").read_text() == "one\ntwo\nthree\n"
    assert (into / "current").resolve() == made.resolve()


def test_a_folder_without_wasm3_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="has no wasm3 sources.*WASM3_DIR"):
        sources_of(tmp_path)


def test_a_header_without_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wasm3.h").write_text("#define X\n")
    with pytest.raises(ToolError, match="M3_VERSION"):
        version_of(tmp_path)
