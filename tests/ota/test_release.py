"""What the tools on the PC make: images, keys, manifests, release folders, and the server for them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wg import ROOT
from wg.release import image as images
from wg.release import keys, manifest, simulated
from wg.release.image import CHIP_ESP32S3, CHIP_SIM, CHIP_SIM32, ImageError, Segment
from wg.release.serve import ReleaseServer

WG = [sys.executable, "-m", "wg.cli"]


def wg(*arguments: str | Path, folder: Path, fails: bool = False) -> str:
    """Runs the command with a key folder of its own; -> what it printed, or its sentence if it `fails`."""
    done = subprocess.run(
        [*WG, *map(str, arguments)],
        env={**os.environ, "WG_KEYS": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def esptool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "esptool", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "build" / "esptool")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def s3_image(version: str = "1.2.3", board: str | None = "esp32s3", more: bytes = b"") -> bytes:
    identity = b"" if board is None else b"\nWG_BOARD=%s\n" % board.encode()
    return images.build([Segment(0x42000020, identity + b"firmware" * 100 + more)], CHIP_ESP32S3, version)


@given(st.binary(min_size=1, max_size=100), st.integers(1, 3))
def test_an_image_reads_back(payload: bytes, count: int) -> None:
    raw = images.build([Segment(0x42000020 + i, payload) for i in range(count)], CHIP_SIM, "1.0")
    found = images.read(raw)
    assert (found.chip_id, found.version, found.board) == (CHIP_SIM, "1.0", None)
    padded = payload.ljust(-(-len(payload) // 4) * 4, b"\0")
    assert [s.data for s in found.segments[1:]] == [padded] * count


def test_every_byte_and_every_length_of_an_image_count() -> None:
    raw = images.build([Segment(0x42000020, bytes(range(64)))], CHIP_SIM, "1.0")
    for length in range(len(raw)):
        with pytest.raises(ImageError):
            images.read(raw[:length])
    with pytest.raises(ImageError, match="should have"):
        images.read(raw + b"\0")
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0x10
        with pytest.raises(ImageError):
            images.read(bytes(changed))


def test_esptool_accepts_what_is_released_and_tells_the_boards_apart(tmp_path: Path, wgdisplay: Path) -> None:
    key = keys.new("test", tmp_path / "keys")
    own = tmp_path / "app.bin"
    own.write_bytes(s3_image(more=key.public.der))
    wg("release", own, "--out", tmp_path, folder=tmp_path / "keys")
    wg("release", "sim", "--out", tmp_path, "--force", folder=tmp_path / "keys")
    said = {}
    for board in ("esp32s3", "sim"):
        [path] = (tmp_path / board).glob("*.bin")
        said[board] = esptool("image-info", path)
        assert "Detected image type: ESP32-S3" in said[board]
        assert said[board].count("(valid)") == 2, said[board]
        assert (
            json.loads(manifest.split((tmp_path / board / manifest.FILE).read_bytes())[1])["board"] == board
        )
    assert "Chip ID: 9 (ESP32-S3)" in said["esp32s3"]
    assert f"Chip ID: {CHIP_SIM} (Unknown ID)" in said["sim"]
    assert "App version: 1.2.3" in said["esp32s3"]
    assert f"App version: {simulated.firmware_version()}" in said["sim"]


def test_the_board_is_in_the_simulated_boards_program(wgdisplay: Path, wgdisplay32: Path) -> None:
    for program, board, chip in ((wgdisplay, "sim", CHIP_SIM), (wgdisplay32, "sim32", CHIP_SIM32)):
        found = images.read(simulated.program_image(program))
        assert (found.board, found.chip_id, found.version) == (board, chip, simulated.firmware_version())
        assert len(found.data) < 2.75 * 1024 * 1024, "no slot would hold it"


def test_the_signature_is_right_for_openssl_too(tmp_path: Path) -> None:
    key = keys.new("test", tmp_path)
    data = manifest.sign(manifest.statement(images.read(s3_image())), [key])
    [(name, signature)], body = manifest.split(data)
    assert name == key.public.id
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "body").write_bytes(body)
    command = ["openssl", "dgst", "-sha256", "-verify", tmp_path / "test.pub", "-signature", tmp_path / "sig"]
    assert subprocess.run([*command, tmp_path / "body"], capture_output=True, check=False).returncode == 0
    (tmp_path / "body").write_bytes(body + b"\n")
    assert subprocess.run([*command, tmp_path / "body"], capture_output=True, check=False).returncode == 1


def test_the_life_of_keys(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert "There is no key" in wg("keys", "list", folder=folder)
    assert "make one with" in wg("keys", "rotate", folder=folder, fails=True)
    wg("keys", "new", "first", folder=folder)
    assert (folder / "first.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o077 == 0
    assert "already" in wg("keys", "new", "first", folder=folder, fails=True)
    assert "a key's name" in wg("keys", "new", "../evil", folder=folder, fails=True)
    assert "only active key" in wg("keys", "retire", "first", folder=folder, fails=True)
    assert "wg keys retire first" in wg("keys", "rotate", "second", folder=folder)
    assert {k.name for k in keys.load_public(folder)} == {"first", "second"}
    wg("keys", "retire", "first", folder=folder)
    assert [k.name for k in keys.load_public(folder)] == ["second"], "new firmware trusts the new one only"
    assert {k.public.name for k in keys.signing_keys(folder)} == {"first", "second"}, "both sign"
    listed = json.loads(wg("keys", "list", "--json", folder=folder))
    assert [(e["name"], e["state"]) for e in listed] == [("first", "retired"), ("second", "active")]


def test_a_key_can_be_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.PASSPHRASE_VARIABLE, raising=False)
    made = keys.new("secret", tmp_path, "open sesame")
    assert b"ENCRYPTED" in (tmp_path / "secret.key").read_bytes()
    with pytest.raises(keys.KeysError, match=keys.PASSPHRASE_VARIABLE):
        keys.load(tmp_path / "secret.key")
    with pytest.raises(keys.KeysError, match="another one"):
        keys.load(tmp_path / "secret.key", "wrong")
    monkeypatch.setenv(keys.PASSPHRASE_VARIABLE, "open sesame")
    assert keys.load(tmp_path / "secret.key").public == made.public


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "something else"),
        (b"\xff\xfe", "can't be read"),
    ],
)
def test_what_is_no_public_key(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "k.pub").write_bytes(content)
    with pytest.raises(keys.KeysError, match=said):
        keys.load_public(tmp_path)


def test_a_key_of_another_curve_is_refused(tmp_path: Path) -> None:
    command = ["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", tmp_path / "k.key"]
    subprocess.run(command, check=True)
    public = ["openssl", "ec", "-in", tmp_path / "k.key", "-pubout", "-out", tmp_path / "k.pub"]
    subprocess.run(public, check=True, capture_output=True)
    with pytest.raises(keys.KeysError, match="not a P-256 key"):
        keys.load(tmp_path / "k.key")
    with pytest.raises(keys.KeysError, match="not a P-256 key"):
        keys.load_public(tmp_path / "k.pub")


def test_what_is_not_released(tmp_path: Path) -> None:
    folder, path = tmp_path / "keys", tmp_path / "app.bin"

    def refused(*arguments: str) -> str:
        return wg("release", path, "--out", tmp_path / "out", *arguments, folder=folder, fails=True)

    path.write_bytes(s3_image())
    assert "make one with `wg keys new" in refused()
    made = keys.new("test", folder)
    assert "trusts none of the keys" in refused()
    path.write_bytes(s3_image(more=made.public.der))
    assert "says that its version is 1.2.3" in refused("--version", "2.0")
    assert "says that its board is esp32s3" in refused("--board", "other")
    assert "is not a version" in refused("--minimum", "v1")
    assert "release notes have" in refused("--notes", "x" * 2001)
    assert "can't be read" in refused("--key", str(tmp_path / "none.key"))
    path.write_bytes(b"\x7fELF")
    assert "an image has at least" in refused()
    path.write_bytes(b"MZ" + s3_image()[2:])
    assert "not an app image" in refused()
    assert not (tmp_path / "out").exists()
    path.write_bytes(s3_image(more=made.public.der))
    out = wg("release", path, "--out", tmp_path / "out", "--notes", "Gr\u00fcezi", folder=folder)
    assert "1.2.3 for esp32s3 (ESP32-S3)" in out and f"signed by  {made.public.id} test\n" in out
    names = sorted(p.name for p in (tmp_path / "out" / "esp32s3").iterdir())
    assert len(names) == 2 and manifest.FILE in names


def test_what_a_build_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trusted(named: str = "") -> tuple[bytes, ...]:
        command = [
            sys.executable,
            "-m",
            "wg.release.trust",
            str(tmp_path / "out"),
            *([named] if named else []),
        ]
        subprocess.run(command, check=True, capture_output=True)
        found: dict[str, tuple[bytes, ...]] = {}
        exec((tmp_path / "out" / "wgkeys" / "__init__.py").read_text(), found)  # as the board does
        return found["KEYS"]

    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(tmp_path / "own"))
    [dev] = trusted()
    assert dev == keys.load(tmp_path / "out" / "dev.key").public.der == trusted()[0]
    assert trusted("none") == () == trusted("own")
    a, b = (keys.new(name, tmp_path / "own").public for name in ("a", "b"))
    assert trusted("own") == (a.der, b.der) == trusted(str(tmp_path / "own"))
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "own" / "b.pub").read_bytes() + (tmp_path / "own" / "a.pub").read_bytes())
    assert trusted(str(both)) == (b.der, a.der)
    keys.retire("a", tmp_path / "own")
    assert trusted("own") == (b.der,)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "file").write_bytes(bytes(range(100)))
    (tmp_path / "secret").write_text("secret")
    with ReleaseServer(tmp_path / "release") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        yield connection
        connection.close()


def test_the_server_knows_ranges(served: http.client.HTTPConnection) -> None:
    def get(path: str, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        served.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = served.getresponse()
        return response.status, response.read(), response.headers

    whole = bytes(range(100))
    status, body, headers = get("/file")
    assert (status, body) == (200, whole)
    tag = headers["ETag"]
    assert get("/file", Range="bytes=40-")[:2] == (206, whole[40:])
    assert get("/file", Range="bytes=40-49", If_Range=tag)[:2] == (206, whole[40:50])
    assert get("/file", Range="bytes=90-200")[2]["Content-Range"] == "bytes 90-99/100"
    assert get("/file", Range="bytes=40-", If_Range='"other"')[:2] == (200, whole)
    assert get("/file", Range="bytes=100-")[0] == 416
    for path in ("/../secret", "/%2e%2e/secret", "//secret", "/", "/nothing"):
        assert get(path)[0] == 404, path
