"""Unpacking: the same tree from both places, nothing outside of it, replaced as a whole."""

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from places_on_disk import FILES, Places, tarball

from wg.process import ToolError
from wg.thirdparty import tree
from wg.thirdparty.lock import Debian, Overlay, Source


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != tree.STAMP)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def serve(places: Places, packed: bytes, **changes: object) -> Source:
    (places.serves / places.source.file).write_bytes(packed)
    sha256 = hashlib.sha256(packed).hexdigest()
    return dataclasses.replace(places.source, sha256=sha256, **changes)  # type: ignore[arg-type]


def test_the_archive_is_unpacked(places: Places, tmp_path: Path) -> None:
    made = tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    assert made == tmp_path / "out" / "pkg"
    assert content_of(made) == FILES
    assert tree.is_current(places.source, {"pkg": places.source}, tmp_path / "out")


def test_both_places_give_the_same_tree(places: Places, tmp_path: Path) -> None:
    (places.serves / places.source.file).unlink()
    made = tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    assert content_of(made) == FILES


def test_folders_are_renamed_and_chosen(places: Places, tmp_path: Path) -> None:
    (places.serves / places.source.file).unlink()
    renamed = dataclasses.replace(places.source.git, rename=(("src", "wasm3"),))
    source = dataclasses.replace(places.source, git=renamed, keep=("wasm3",))
    made = tree.unpack(source, {"pkg": source}, tmp_path / "out")
    assert content_of(made) == {"wasm3/a.c": FILES["src/a.c"], "wasm3/b.c": FILES["src/b.c"]}


def test_keep_takes_whole_names_only(places: Places, tmp_path: Path) -> None:
    source = serve(places, tarball({"src/a.c": b"1", "srcs/b.c": b"2"}), keep=("src",))
    made = tree.unpack(source, {"pkg": source}, tmp_path / "out")
    assert content_of(made) == {"src/a.c": b"1"}


def test_nothing_to_keep_is_an_error(places: Places, tmp_path: Path) -> None:
    source = dataclasses.replace(places.source, keep=("nowhere",))
    with pytest.raises(ToolError, match="has none of: nowhere"):
        tree.unpack(source, {"pkg": source}, tmp_path / "out")
    assert not (tmp_path / "out" / "pkg").exists()


def test_another_source_is_laid_over(places: Places, tmp_path: Path) -> None:
    main = dataclasses.replace(
        places.source,
        name="main",
        debian=Debian("main", "1-1", ("sid",)),
        overlay=(Overlay("pkg", ("src",), "lib/pkg"),),
    )
    made = tree.unpack(main, {"pkg": places.source, "main": main}, tmp_path / "out")
    assert content_of(made) == {
        **FILES,
        "lib/pkg/src/a.c": FILES["src/a.c"],
        "lib/pkg/src/b.c": FILES["src/b.c"],
    }


def test_an_unpacked_tree_is_left_alone(places: Places, tmp_path: Path) -> None:
    made = tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    (made / "mine").write_text("x")
    tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    assert (made / "mine").exists()


def test_another_version_replaces_all_of_it(places: Places, tmp_path: Path) -> None:
    made = tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    newer = serve(places, tarball({"src/c.c": b"3"}), file="pkg_1.orig.tar.gz", version="2")
    assert not tree.is_current(newer, {"pkg": newer}, tmp_path / "out")
    tree.unpack(newer, {"pkg": newer}, tmp_path / "out")
    assert content_of(made) == {"src/c.c": b"3"}
    assert [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == ["pkg"]


def test_the_archives_times_are_kept(places: Places, tmp_path: Path) -> None:
    """An unchanged file of a tree that is unpacked again must not look new to make."""
    made = tree.unpack(places.source, {"pkg": places.source}, tmp_path / "out")
    assert (made / "src/a.c").stat().st_mtime == 1_600_000_000


def archive_with(member: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def special(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return member


@pytest.mark.parametrize(
    "member",
    [
        special("pkg/../../evil"),
        special("/pkg/evil"),
        special("pkg/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("pkg/a/link", tarfile.SYMTYPE, "../../../evil"),
        special("pkg/hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("pkg/device", tarfile.CHRTYPE),
    ],
    ids=lambda member: member.name,
)
def test_an_archive_that_leads_out_is_refused(
    places: Places, tmp_path: Path, member: tarfile.TarInfo
) -> None:
    source = serve(places, archive_with(member))
    with pytest.raises(ToolError, match="was refused"):
        tree.unpack(source, {"pkg": source}, tmp_path / "out")
    assert not (tmp_path / "out" / "pkg").exists()
    assert not list(tmp_path.rglob("evil"))


def test_a_cut_archive_is_an_error(places: Places, tmp_path: Path) -> None:
    source = serve(places, tarball({"src/a": bytes(range(256)) * 400})[:-200])
    with pytest.raises(ToolError, match="can't be unpacked"):
        tree.unpack(source, {"pkg": source}, tmp_path / "out")
    assert not (tmp_path / "out" / "pkg").exists()
