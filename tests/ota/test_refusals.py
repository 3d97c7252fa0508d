"""What a board refuses to install, each with its own sentence and without touching the running slot."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from firmwares import small_image
from servers import ShakyServer

from wg.release import image as images
from wg.release import keys, manifest

RUNNING = "1.5.0"


def board(word_size: int) -> str:
    return "sim" if word_size == 64 else "sim32"


class Maker:
    """Releases that are all right, until a test changes something."""

    def __init__(self, word_size: int, key: keys.SigningKey) -> None:
        self.word_size, self.key = word_size, key
        self.files: dict[str, bytes] = {}
        self.image = small_image(word_size)

    def statement(self, firmware: bytes | None = None, **changed: Any) -> dict[str, Any]:
        found = images.read(self.image)
        content = manifest.statement(found, board=board(self.word_size))
        if firmware is not None:
            content.update(size=len(firmware), sha256=hashlib.sha256(firmware).hexdigest())
        return {**content, **changed}

    def add(
        self,
        name: str,
        firmware: bytes | None = None,
        served: bytes | None = None,
        signers: list[keys.SigningKey] | None = None,
        **changed: Any,
    ) -> str:
        """A release of `firmware` that serves other bytes if `served` is given; -> its path."""
        content = self.statement(firmware, **changed)
        self.files[f"/{name}/{manifest.FILE}"] = manifest.sign(content, signers or [self.key])
        bytes_ = served if served is not None else firmware if firmware is not None else self.image
        self.files[f"/{name}/{content['image']}"] = bytes_
        return f"/{name}/{manifest.FILE}"

    def put(self, name: str, data: bytes) -> str:
        self.files[f"/{name}"] = data
        return f"/{name}"

    def good(self) -> bytes:
        return manifest.sign(self.statement(), [self.key])


@pytest.fixture
def maker(word_size: int, key: keys.SigningKey) -> Maker:
    return Maker(word_size, key)


def run(
    script: Callable[..., Any],
    key: keys.SigningKey | None,
    cases: list[tuple[str, dict[str, Any]]],
    version: str = RUNNING,
    options: tuple[str, ...] = (),
    **more: Any,
) -> list[tuple[Any, int, bool]]:
    trusted = [] if key is None else [key.public.der.hex()]
    job = {"keys": trusted, "version": version, "cases": cases, **more}
    return [tuple(answer) for answer in script("update", job, *options)]


def test_each_has_its_own_sentence(
    script: Callable[..., Any], maker: Maker, word_size: int, key: keys.SigningKey, tmp_path: Path
) -> None:
    stranger = keys.new("stranger", tmp_path)
    image, good = maker.image, maker.good()
    altered_byte = bytearray(image)
    altered_byte[9000] ^= 1
    no_magic = b"\x7fELF" + image[4:]
    other_chip = small_image(word_size, chip=images.CHIP_ESP32S3)
    inside = bytearray(image)
    inside[12_000] ^= 1  # signed with its damage: the boot loader's checks are the last line
    forged = manifest.sign(maker.statement(), [stranger]).replace(
        stranger.public.id.encode(), key.public.id.encode()
    )
    body = manifest.split(good)[1]
    reordered = good.replace(body, json.dumps(dict(reversed(json.loads(body).items()))).encode())
    cases = {
        maker.add("stranger", signers=[stranger]): "it is not from its owner",
        maker.put("forged", forged): "was altered after it was signed",
        maker.put("altered", good.replace(b"2.0.0", b"2.0.1")): "was altered after it was signed",
        maker.put("reordered", reordered): "was altered after it was signed",
        maker.put("appended", good + b"\n"): "was altered after it was signed",
        maker.put("unsigned", b"wg-display-release 1\n\n" + body): "signed by nobody",
        maker.put("malformed", good.replace(b"sign ", b"sing ")): "a malformed line",
        maker.put(
            "not-base64",
            good.replace(b"sign " + key.public.id.encode(), b"sign " + key.public.id.encode() + b" *", 1),
        ): "a malformed line",
        maker.put("page", b"<html>404</html>"): "is not a manifest",
        maker.put("empty", b""): "is not a manifest",
        maker.put("large", good + b" " * 8192): "the body is larger than 8192 bytes",
        "/missing/": "the server answered with status 404",
        maker.add("board", board="esp32s3"): f"for the board esp32s3, and this is {board(word_size)}",
        maker.add("older", version="1.4.9"): "1.4.9 is older than 1.5.0, which is running",
        maker.add("candidate", version="1.5.0-rc1"): "1.5.0-rc1 is older than 1.5.0",
        maker.add("minimum", minimum="1.5.1"): "needs firmware 1.5.1 or later",
        maker.add("slot", size=(4 << 20) + 1): "a slot of this board has 4194304",
        maker.add("elsewhere", image="http://127.0.0.1/x.bin"): "names no image beside it",
        maker.add("above", image="../x.bin"): "names no image beside it",
        maker.add("no-version", version="new"): "is not a version",
        maker.add("no-hash", sha256="00"): "no valid sha256",
        maker.add("negative", size=-1): "no valid size",
        maker.add("truncated", served=image[:-100]): "fewer than the",
        maker.add("extended", served=image + b"\0" * 100): "more than the",
        maker.add("altered-image", served=bytes(altered_byte)): "is not the one that was signed",
        maker.add(
            "swapped", served=small_image(word_size, version="3.0.0")
        ): "is not the one that was signed",
        maker.add("magic", firmware=no_magic): "begins with 0x7f instead of 0xe9",
        maker.add("chip", firmware=other_chip): "for another chip",
        maker.add("damaged", firmware=bytes(inside)): "the boot loader would not start it",
    }
    with ShakyServer(maker.files) as server:
        answers = run(
            script,
            key,
            [(server.url + path, {}) for path in cases]
            + [(server.url + "/older/" + manifest.FILE, {"downgrade": True})],
        )
    for (path, expected), (said, _, untouched) in zip(cases.items(), answers, strict=False):
        assert isinstance(said, str) and expected in said, (path, said)
        assert "\n" not in said and len(said) < 250, path
        assert untouched, path
    assert len({said for said, _, _ in answers[:-1]}) >= 20, "they have sentences of their own"
    assert answers[-1][0] == ["installed", "1.4.9"] and not answers[-1][2]


def test_a_firmware_without_keys_refuses_everything(script: Callable[..., Any], maker: Maker) -> None:
    with ShakyServer({maker.add("good"): maker.good(), **maker.files}) as server:
        [(said, _, untouched)] = run(script, None, [(server.url + "/good/", {})])
        assert "trusts no key" in said and untouched
        assert server.asked == [], "it asks nobody"


def test_keys_rotate(script: Callable[..., Any], maker: Maker, key: keys.SigningKey, tmp_path: Path) -> None:
    """A release that is signed by an old and a new key is installed by who knows either of them."""
    new = keys.new("new", tmp_path)
    path = maker.add("both", signers=[new, key])
    with ShakyServer(maker.files) as server:
        for trusted in (key, new):
            [(said, _, _)] = run(script, trusted, [(server.url + path, {})])
            assert said == ["installed", "2.0.0"]
        many = [keys.new(f"k{i}", tmp_path) for i in range(4)]
        server.files.update(Maker.add(maker, "many", signers=[*many, key]) and maker.files)
        [(said, _, _)] = run(script, key, [(server.url + f"/many/{manifest.FILE}", {})])
        assert "it is not from its owner" in said, "only so many signatures are tried"


def test_redirects(script: Callable[..., Any], maker: Maker, key: keys.SigningKey) -> None:
    from hostile import HostileServer

    with HostileServer() as server:

        def moved(path: str, to: str) -> str:
            return server.add(
                path, f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
            )

        def file(path: str, data: bytes) -> str:
            return server.add(path, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data), data)

        name = str(maker.statement()["image"])
        file("/real/manifest", maker.good())
        file("/real/image", maker.image)
        moved("/good/release.manifest", "/real/manifest")
        moved(f"/good/{name}", "/real/image")
        moved("/file", "file:///data/config.json")
        moved("/ftp", "ftp://127.0.0.1/x")
        file("/image/release.manifest", maker.good())
        moved(f"/image/{name}", "file:///data/config.json")
        cases = [(server.url + path, {}) for path in ("/file", "/ftp", "/image/release.manifest")]
        answers = run(script, key, [*cases, (server.url + "/good/release.manifest", {})])
        asked = [path for _, path, _, _ in server.asked]
    for said, _, untouched in answers[:3]:
        assert said.startswith("a redirect was refused: not an http") and untouched
    assert asked.count(f"/image/{name}") == 1, "it is not tried again"
    assert answers[3][0] == ["installed", "2.0.0"], "the image lies beside the address that was asked for"


def test_a_lost_connection_is_resumed(script: Callable[..., Any], maker: Maker, key: keys.SigningKey) -> None:
    path = maker.add("good")
    with ShakyServer(maker.files, cut=7001, times=2) as server:
        [(said, _, _)] = run(script, key, [(server.url + path, {})])
        assert said == ["installed", "2.0.0"]
        ranges = [asked for asked in server.asked if asked[0].endswith(".bin")]
        assert [r[1] for r in ranges] == [None, "bytes=7001-", "bytes=14002-"]
        assert ranges[1][2] is not None and ranges[1][2] == ranges[2][2], "by its ETag it is the same image"
    # A server that knows no ranges sends it whole again, and the third time it is all there.
    with ShakyServer(maker.files, cut=7001, times=2, ranges=False) as server:
        assert run(script, key, [(server.url + path, {})])[0][0] == ["installed", "2.0.0"]


def test_resumed_bytes_belong_to_the_same_image(
    script: Callable[..., Any], maker: Maker, word_size: int, key: keys.SigningKey
) -> None:
    path = maker.add("good")
    [name] = [name for name in maker.files if name.endswith(".bin")]
    other = small_image(word_size, version="3.0.0")
    assert len(other) == len(maker.image)

    class Changing(ShakyServer):
        tags = True

        def _answer(self, request: Any) -> None:
            super()._answer(request)
            if request.path == name:
                self.files[name] = other  # between two requests

    with Changing(dict(maker.files), cut=7001, times=1) as server:
        [(said, _, untouched)] = run(script, key, [(server.url + path, {})])
        assert "is not the one that was signed" in said and untouched
        assert [a[1] for a in server.asked if a[0] == name] == [None, "bytes=7001-"]


def test_the_image_may_be_larger_than_the_heap(
    script: Callable[..., Any], maker: Maker, word_size: int, key: keys.SigningKey
) -> None:
    maker.image = small_image(word_size, 3_000_000)
    path = maker.add("large")
    with ShakyServer(maker.files) as server:
        [(said, _, _)] = run(script, key, [(server.url + path, {})], options=("--heap", str(1 << 20)))
        assert said == ["installed", "2.0.0"]


def test_a_connection_that_is_always_lost(
    script: Callable[..., Any], maker: Maker, key: keys.SigningKey
) -> None:
    path = maker.add("good")
    with ShakyServer(maker.files, cut=0) as server:
        [(said, _, untouched)] = run(script, key, [(server.url + path, {})])
        assert "was given up after 0 of" in said and untouched
        assert len([a for a in server.asked if a[0].endswith(".bin")]) == 5


@pytest.mark.timing
def test_silent_and_slow_servers(script: Callable[..., Any], maker: Maker, key: keys.SigningKey) -> None:
    path = maker.add("good")
    patience = {"stall_ms": 800, "slow_ms": 1500}
    with ShakyServer(maker.files, cut=5000, after="stall") as server:
        [(said, ms, untouched)] = run(script, key, [(server.url + path, {})], **patience)
        assert "the server sent nothing for" in said and untouched
        assert 1500 < ms < 6000
        assert len([a for a in server.asked if a[0].endswith(".bin")]) == 2, "it is tried once more"
    with ShakyServer(maker.files, cut=5000, after="crawl") as server:
        [(said, ms, untouched)] = run(script, key, [(server.url + path, {})], **patience)
        assert "the server is too slow" in said and untouched
        assert 1200 < ms < 5000


def test_any_bytes_are_no_manifest(script: Callable[..., Any], maker: Maker, key: keys.SigningKey) -> None:
    """Each byte of a manifest changed, and each length cut off: nothing is installed."""
    good = maker.good()
    at = range(0, len(good), 7)
    paths = [maker.put(f"cut{i}", good[:i]) for i in at]
    for i in at:
        changed = bytearray(good)
        changed[i] ^= 1 + i % 255
        paths.append(maker.put(f"changed{i}", bytes(changed)))
    with ShakyServer(maker.files) as server:
        answers = run(script, key, [(server.url + path, {}) for path in paths])
    for path, (said, _, untouched) in zip(paths, answers, strict=True):
        assert isinstance(said, str) and untouched, path
        assert "internal" not in said and "Error" not in said, (path, said)


def test_signatures_of_every_shape(script: Callable[..., Any], maker: Maker, key: keys.SigningKey) -> None:
    """Malformed signatures are wrong ones: DER of other lengths, zeros, the values that broke other verifiers."""
    body = manifest.split(maker.good())[1]
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def der(r: int, s: int) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        return encode_dss_signature(r, s)

    right = key.sign(body)
    shapes = [
        b"",
        b"\x30",
        b"\x30\x00",
        right[:-1],
        right + b"\0",
        right[1:],
        b"\0" * 72,
        b"\xff" * 200,
        der(0, 0),
        der(0, 1),
        der(1, 0),
        der(1, 1),
        der(order, 1),
        der(1, order),
        der(order - 1, order - 1),
        der(order + 1, 1),
        der(1 << 256, 1),
    ]
    head = b"wg-display-release 1\nsign %s %s\n\n"
    paths = [
        maker.put(f"s{i}", head % (key.public.id.encode(), base64.b64encode(shape)) + body)
        for i, shape in enumerate([*shapes, right])
    ]
    maker.files[f"/{maker.statement()['image']}"] = maker.image
    with ShakyServer(maker.files) as server:
        answers = run(script, key, [(server.url + path, {}) for path in paths])
    for i, (said, _, untouched) in enumerate(answers[:-1]):
        assert "signature by key" in said or "malformed line" in said, (i, said)
        assert untouched
    assert answers[-1][0] == ["installed", "2.0.0"]
