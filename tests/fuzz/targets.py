"""What is fuzzed: each target takes any bytes and raises AssertionError, or whatever got out, if a promise is broken.

component: the parser of a component's wrapper. link: the core module's names and types against the world.
abi: a guest that answers, calls, grows and writes as the bytes say, under the runtime's own Execution.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable
from typing import Any

import runtime_alone

#: No input may take longer, in seconds. The largest one takes a hundredth of it on a PC that does nothing else.
LIMIT_S = 5.0


class Bytes:
    """Choices from bytes; after their end everything is 0."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.pos

    def take(self, size: int) -> bytes:
        taken = self.data[self.pos : self.pos + size]
        self.pos += len(taken)
        return taken

    def byte(self) -> int:
        taken = self.take(1)
        return taken[0] if taken else 0

    def choose(self, choices: Any) -> Any:
        return choices[self.byte() % len(choices)]

    def u32(self, edge: int) -> int:
        """A number near what matters: small, near `edge`, near 2**32, or any."""
        form = self.byte() & 7
        if form == 0:
            return self.byte()
        if form == 1:
            return (self.byte() << 3) & 0xFFFFFFFF
        if form == 2:
            return max(0, edge - self.byte())
        if form == 3:
            return edge + self.byte()
        if form == 4:
            return 0xFFFFFFFF - self.byte()
        if form == 5:
            return 0x80000000 + self.byte() - 128
        return int.from_bytes(self.take(4), "little")


class Guest:
    """A hostile instance with the engine's interface. Its memory fails the test on any access outside of it."""

    has_start = False

    def __init__(self, engine: Any, script: Bytes, host: Callable[..., Any]) -> None:
        self.engine = engine
        self.script = script
        self.host = host
        self.types: list[str] = []
        self.calls = 0
        self.returned: int | None = None  # what the export returned
        self.cleaned = False  # post-return was called
        self.result = b""  # the memory when it was
        size = int.from_bytes(script.take(2), "little") & 0xFFF
        self.memory = bytearray(script.take(size))

    @property
    def memory_size(self) -> int:
        return len(self.memory)

    def read(self, pointer: int, size: int) -> bytes:
        assert 0 <= pointer and 0 <= size and pointer + size <= len(self.memory), "read outside of the memory"
        return bytes(self.memory[pointer : pointer + size])

    def write(self, pointer: int, data: bytes) -> None:
        assert 0 <= pointer and pointer + len(data) <= len(self.memory), "written outside of the memory"
        self.memory[pointer : pointer + len(data)] = data

    def fuel(self, amount: int | None) -> None:
        pass

    def deadline(self, ms: int) -> None:
        assert ms > 0

    def close(self) -> None:
        pass

    def call(self, name: str, *arguments: int) -> int | None:
        assert name in ("run", "post", "realloc", "cycle", "initialize"), name
        assert all(isinstance(argument, int) for argument in arguments)
        self.calls += 1
        if name == "post":
            assert arguments == (self.returned,)
            self.cleaned = True
            self.result = bytes(self.memory)
        for _ in range(32):
            action = self.script.byte() & 7
            if action <= 2 or self.calls > 400:
                break
            if action <= 4:
                self._call_out()
            elif action == 5:
                self.memory += bytes(self.script.byte() * 4)
            elif action == 6:
                place = self.script.u32(len(self.memory)) % (len(self.memory) + 1)
                written = self.script.take(min(self.script.byte(), len(self.memory) - place))
                self.memory[place : place + len(written)] = written
            else:
                raise self.engine.TrapError("wasm trap: unreachable", "unreachable", None)
        result = self.script.u32(len(self.memory)) & 0xFFFFFFFF
        if name in ("post", "initialize"):
            return None
        if name != "realloc":
            self.returned = result
        return result

    def _call_out(self) -> None:
        index = self.script.byte() % len(self.types)
        letters = self.types[index].partition(":")[0]
        arguments = [self.script.u32(len(self.memory)) & 0xFFFFFFFF for _ in letters]
        answer = self.host(index, tuple(arguments))
        results = self.types[index].partition(":")[2]
        assert (answer is None) == (results == ""), "a host function's result has another type"
        assert answer is None or 0 <= answer < 1 << 64


class Host:
    """The display behind the host interfaces: checks what comes out of the guest."""

    def __init__(self, script: Bytes, limits: Any) -> None:
        self.script = script
        self.limits = limits
        self.lines = 0
        self.requests = 0

    def now(self) -> tuple[int, int]:
        return (self.script.u32(1 << 40), self.script.u32(10**9) & 0xFFFFFFFF)

    def random(self) -> int:
        return self.script.u32(1 << 64)

    def log(self, name: str, level: int, context: str, message: str) -> None:
        self.lines += 1
        assert self.lines <= self.limits.LOG_LINES
        assert level in range(4)
        for text in (context, message):
            assert len(text.encode()) <= self.limits.LOG_BYTES

    async def http(
        self, name: str, method: int, url: str, body: bytes | None
    ) -> tuple[int, int | None, bytes]:
        self.requests += 1
        assert self.requests <= self.limits.HTTP_REQUESTS
        assert method in range(5)
        assert len(url.encode()) <= self.limits.HTTP_URL_BYTES
        assert body is None or len(body) <= self.limits.HTTP_BODY_BYTES
        form = self.script.byte() & 7
        if form == 0:
            raise OSError("no network")
        content = self.script.take(self.script.byte())
        length = self.script.u32(len(content)) if form & 1 else None
        return self.script.u32(200) & 0xFFFF, length, content


def _finish(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the runtime waited for nothing")


class Targets:
    """The targets over one set of the runtime's modules."""

    NAMES = ("component", "link", "abi")

    def __init__(self, runtime: types.SimpleNamespace) -> None:
        self.runtime = runtime
        outer = runtime.execution.Execution

        class Execution(outer):  # type: ignore[misc, valid-type]
            # The host's doubles never wait, so no loop is needed.
            async def outside(self, coroutine: Any) -> Any:
                return await coroutine

        self._execution = Execution
        limits = runtime.limits.Limits()
        for name, value in {
            "HOST_CALLS": 20, "LOG_LINES": 4, "LOG_BYTES": 16, "HTTP_REQUESTS": 3, "HTTP_URL_BYTES": 64,
            "HTTP_BODY_BYTES": 128, "HTTP_TOTAL_BYTES": 300, "RESULT_BYTES": 200, "CONFIG_BYTES": 100,
        }.items():  # fmt: skip
            assert hasattr(limits, name)
            setattr(limits, name, value)
        self._limits = limits

    def run(self, name: str, data: bytes) -> None:
        """One input. Raises if the target broke a promise."""
        begun = time.process_time()
        getattr(self, name)(bytes(data))
        assert time.process_time() - begun < LIMIT_S, f"{name} took too long"

    def _check_message(self, error: Exception) -> None:
        message = error.args[0]
        assert message.endswith(".") and 20 <= len(message) <= 300 and "\n" not in message, message

    def component(self, data: bytes) -> None:
        component, errors = self.runtime.component, self.runtime.errors
        try:
            layout = component.load(data)
        except errors.WidgetError as error:
            return self._check_message(error)
        if layout.kind == "module":
            assert bytes(layout.main) == data
            return None
        assert bytes(layout.main[:8]) == b"\0asm\1\0\0\0" and bytes(layout.main) in data
        self._check_layout(layout)
        # Core modules that fit the layout and one that doesn't.
        imports = [
            (module, field, "func", component.IMPORTS[(found.interface, found.function)])
            for (module, field), found in layout.imports.items()
        ]
        exports = [("memory", "memory", "")]
        for name, export in layout.exports.items():
            exports.append((export.core, "func", component.EXPORTS[name]))
            exports += [(extra, "func", "i:") for extra in [export.post_return] if extra is not None]
            exports += [(extra, "func", "iiii:i") for extra in [export.realloc] if extra is not None]
        for some in (exports, exports[: data[-1] % len(exports)]):
            try:
                component.link(layout, imports, some)
            except errors.WidgetError as error:
                self._check_message(error)
        return None

    def _check_layout(self, layout: Any) -> None:
        component = self.runtime.component
        assert set(layout.exports) == set(component.EXPORTS)
        for export in layout.exports.values():
            assert isinstance(export.core, str)
        assert layout.exports["run"].realloc is not None
        for found in layout.imports.values():
            assert (found.interface, found.function) in component.IMPORTS
            assert found.realloc is not None or found.interface != "http"

    def link(self, data: bytes) -> None:
        component, errors = self.runtime.component, self.runtime.errors
        script = Bytes(data)
        layout = component.load(b"\0asm\1\0\0\0")
        worlds = [f"widget:widget/{interface}" for interface, _ in component.IMPORTS]
        modules = [
            *worlds,
            *(f"cm32p2|{name}" for name in worlds),
            "env",
            "wasi_snapshot_preview1",
            "wasi:io/x",
        ]
        fields = [function for _, function in component.IMPORTS]
        plain = [*component.EXPORTS, "cabi_realloc", "_initialize", "memory"]
        plain += [f"cabi_post_{name}" for name in component.EXPORTS]
        standard = [f"cm32p2||{name}" for name in component.EXPORTS]
        standard += [f"{name}_post" for name in standard]
        standard += ["cm32p2_realloc", "cm32p2_initialize", "cm32p2_memory"]
        fitting = [*component.EXPORTS.values(), *component.IMPORTS.values(), "iiii:i", "i:", ":"]

        def text() -> str:
            return script.take(script.byte()).decode("utf-8", "replace")

        def kind() -> str:
            return str(script.choose(["func"] * 12 + ["memory", "table", "global", "tag"]))

        imports = []
        for _ in range(script.byte() & 15):
            module = script.choose([*modules, None])
            field = script.choose([*fields, None])
            what = kind()
            found = (module or "")[len("widget:widget/") :]
            right = component.IMPORTS.get((found, field), ":")
            imports.append((module or text(), field or text(), what, script.choose([right] * 6 + fitting)))
        names = plain if script.byte() & 1 else standard
        dropped = int.from_bytes(script.take(4), "little")
        exports = []
        for number, name in enumerate(names):
            if dropped >> number & 1:
                continue
            stem = name.replace("cm32p2||", "")
            right = component.EXPORTS.get(
                stem, "i:" if "post" in stem else "iiii:i" if "realloc" in stem else ":"
            )
            exports.append(
                (name, "memory" if "memory" in name else kind(), script.choose([right] * 20 + fitting))
            )
        if script.byte() & 3 == 3:
            exports.append((text(), kind(), text()))
        try:
            component.link(layout, imports, exports)
        except errors.WidgetError as error:
            return self._check_message(error)
        self._check_layout(layout)
        functions = {name for name, what, _ in exports if what == "func"}
        for export in layout.exports.values():
            assert export.core in functions
            assert export.post_return is None or export.post_return in functions
        assert {(module, field) for module, field, _, _ in imports} <= set(layout.imports)
        return None

    def abi(self, data: bytes) -> None:
        component, errors = self.runtime.component, self.runtime.errors
        script = Bytes(data)
        guests: list[Guest] = []
        engine = self.runtime.execution.wasm3
        kinds = list(component.IMPORTS.items())

        class Module:
            def instantiate(self, imports: Any, host: Any, **_options: Any) -> Guest:
                guest = Guest(engine, script, host)
                guest.types = [typ for _, _, typ in imports]
                guests.append(guest)
                return guest

        layout = component.Layout("component", b"")
        for name in component.EXPORTS:
            core = "cycle" if name == "get-run-update-cycle-seconds" else "run"
            layout.exports[name] = component.Export(core, "post", "realloc")
        layout.initialize = "initialize"
        for (interface, function), _typ in kinds:
            layout.imports[(interface, function)] = component.Import(interface, function, "realloc", False)
        imports = [(*names, "func", typ) for names, typ in kinds]
        widget = types.SimpleNamespace(
            layout=layout,
            module=Module(),
            imports=imports,
            services=self.runtime.execution.services(layout, imports),
        )
        host = Host(script, self._limits)
        options = self.runtime.execution.options(self._limits)
        instance = self.runtime.execution.Instance(widget, options, False)
        run = self._execution(widget, instance, "fuzzed", host, self._limits, 60_000, False)
        guest = guests[0]
        what = script.byte() & 3
        limit = 50 if what == 2 else self._limits.RESULT_BYTES
        try:
            _finish(run.initialize())
            if what == 3:
                assert 0 <= _finish(run.number("get-run-update-cycle-seconds")) < 1 << 32
                return
            if what == 2:
                found = _finish(run.text("get-name", limit))
            else:
                config = script.take(script.byte() & 127).decode("utf-8", "replace")
                found = _finish(run.run(*host.now(), config))
        except errors.WidgetError as error:
            self._check_message(error)
            if guest.returned is not None and not guest.cleaned and what != 3:
                wanted = _lift(guest.returned, bytes(guest.memory), limit)
                assert wanted is None, "a good result was refused"
            return
        finally:
            instance.close()
        assert guest.cleaned and guest.returned is not None
        assert found == _lift(guest.returned, guest.result, limit), "the result is another one"


def _lift(at: int, memory: bytes, limit: int) -> str | None:
    """The result as the canonical ABI defines it (load_string_from_range), None for a trap or what is too long."""
    if at % 4 or at + 8 > len(memory):
        return None
    pointer = int.from_bytes(memory[at : at + 4], "little")
    size = int.from_bytes(memory[at + 4 : at + 8], "little")
    if pointer + size > len(memory) or size > limit:
        return None
    try:
        return memory[pointer : pointer + size].decode("utf-8")
    except UnicodeDecodeError:
        return None


def load() -> Targets:
    """The targets, uninstrumented."""
    return Targets(runtime_alone.load())
