"""From the bytes of a file to the core module of a widget, and to what its imports and exports mean.

`load(data)` reads the component's wrapper only: nothing is copied, nothing is run. The layouts are those that
wit-component writes (up to 0.239, and 0.259), which is what every tool chain for components ends in. Each index space
of the component is kept, and each import and export is followed through aliases and instances to its end; names in the
core module are not trusted to mean anything. A core module with the world's names, legacy or standard32 (`cm32p2`), is
accepted as well.

Encoding: component-model/design/mvp/Binary.md. Whatever the bytes are, the answer is a `Widget` or one WidgetError.
"""

from .errors import LinkError, MalformedError, UnsupportedError
from .utf8 import decode

_PACKAGE = "widget:widget/"
_INTERFACES = ("types", "clocks", "http", "logging", "random")

# The world's exports and their flattened core types: parameters, colon, results; i is i32, I is i64.
EXPORTS = {
    "get-name": ":i",
    "get-version": ":i",
    "get-config-schema": ":i",
    "get-run-update-cycle-seconds": ":i",
    "run": "Iiii:i",
}
# The world's imports, likewise.
IMPORTS = {
    ("http", "request"): "iiiiiii:",
    ("clocks", "now"): "i:",
    ("logging", "log"): "iiiii:",
    ("random", "get-random"): ":I",
}
# The only import that a component reaches directly: the others need memory, so they go through the shim and
# trap until the main module is instantiated.
_WITHOUT_MEMORY = ("random", "get-random")

# More items than this in all index spaces and instances together are no widget. Genuine ones have about a hundred.
_MAX_ITEMS = 4096
# A core module may name the world's four functions more than once, but not without end.
_MAX_IMPORTS = 16
_MAX_NAME = 512

_COMPONENT = b"\x00asm\x0d\x00\x01\x00"
_CORE = b"\x00asm\x01\x00\x00\x00"

_FUNC, _TABLE, _MEMORY, _GLOBAL, _TAG, _TYPE, _MODULE, _INSTANCE = 0, 1, 2, 3, 4, 0x10, 0x11, 0x12


class Export:
    """A function of the world as the core module exports it."""

    def __init__(self, core, post_return=None, realloc=None):
        self.core = core  # name of the core function
        self.post_return = post_return  # name of the core function to call after the result was read, or None
        self.realloc = realloc  # name of the allocator for its parameters, or None


class Import:
    """An import of the core module and the host function behind it."""

    def __init__(self, interface, function, realloc=None, early=False):
        self.interface = interface  # "http"
        self.function = function  # "request"
        self.realloc = realloc  # name of the allocator for its result, or None
        self.early = early  # True: may be called while the core module's start function runs


class Layout:
    """What `load` found.

    kind: "component" or "module". main: the core module, a slice of the file. exports: name in the world -> Export.
    imports: (module, field) -> Import. initialize: core function to call once after instantiation, or None.
    """

    def __init__(self, kind, main):
        self.kind = kind
        self.main = main
        self.exports = {}
        self.imports = {}
        self.initialize = None


def load(data):
    """The Layout of the widget in `data` (bytes-like, a whole file).

    A core module's layout is completed by `link`, when its imports and exports are known.
    Raises MalformedError, UnsupportedError or LinkError, each with the reason.
    """
    # A wasm3.buffer is its own view: a slice of it is no copy, and keeps it alive.
    view = memoryview(data) if isinstance(data, (bytes, bytearray)) else data
    magic = bytes(view[:8])
    if magic == _COMPONENT:
        return _Component(view).layout()
    if magic == _CORE:
        return Layout("module", view)
    raise _not_wasm(view, magic)


def link(layout, imports, exports):
    """Checks the core module's imports (module, name, kind, type) and exports (name, kind, type) against the world.

    For a core module on its own this is where its names get their meaning. Raises LinkError or UnsupportedError.
    """
    types = {}
    memory = False
    for name, kind, typ in exports:
        if kind == "func":
            types[name] = typ
        elif kind == "memory":
            memory = True
    if layout.kind == "module":
        _name_exports(layout, types, imports)
    if not memory:
        raise LinkError("This widget exports no memory: it can't exchange text with the display.")
    for module, field, kind, typ in imports:
        name = _short(module + " " + field)
        if kind != "func":
            raise UnsupportedError(
                "This widget imports a %s (%s); only functions are provided." % (kind, name)
            )
        found = layout.imports.get((module, field))
        if found is None:
            raise LinkError("This widget imports %s, which nothing provides." % name)
        _check_type("import " + name, typ, IMPORTS[(found.interface, found.function)])
        if found.realloc is not None:
            _check_export(types, found.realloc, "iiii:i")
    for name in EXPORTS:
        export = layout.exports[name]
        _check_export(types, export.core, EXPORTS[name])
        if export.realloc is not None:
            _check_export(types, export.realloc, "iiii:i")
        if export.post_return is not None:
            _check_export(types, export.post_return, "i:")
    if layout.initialize is not None:
        _check_export(types, layout.initialize, ":")


def _check_export(types, name, expected):
    if name not in types:
        raise LinkError("This widget's core module has no function %s." % _short(name))
    _check_type("export " + _short(name), types[name], expected)


def _check_type(what, found, expected):
    if found != expected:
        raise LinkError("This widget's %s has type (%s), the world wants (%s)." % (what, found, expected))


def _short(name):
    """A name from the file, fit for a message."""
    text = "".join([c if c >= " " and c != "\x7f" else "?" for c in name])
    return text if len(text) <= 60 else text[:57] + "..."


# Core modules on their own


def _name_exports(layout, types, imports):
    standard = "cm32p2||run" in types or "cm32p2_memory" in types or "cm32p2||get-name" in types
    prefix = "cm32p2||" if standard else ""
    realloc = "cm32p2_realloc" if standard else "cabi_realloc"
    initialize = "cm32p2_initialize" if standard else "_initialize"
    wasi = set()
    others = []
    for module, field, _kind, _type in imports:
        plain = module[7:] if module.startswith("cm32p2|") else module
        interface = plain[len(_PACKAGE) :] if plain.startswith(_PACKAGE) else ""
        if (interface, field) in IMPORTS:
            direct = (interface, field) == _WITHOUT_MEMORY
            allocator = realloc if interface == "http" else None
            layout.imports[(module, field)] = Import(interface, field, allocator, direct)
        elif module.startswith("wasi"):
            wasi.add(module)
        else:
            others.append(module + " " + field)
    if wasi:
        raise _needs_wasi(sorted(wasi))
    missing = [name for name in sorted(EXPORTS) if prefix + name not in types]
    if len(missing) == len(EXPORTS):
        raise LinkError(
            "This WebAssembly module is no widget: it exports none of the functions of widget:widget/widget."
        )
    if missing:
        raise _missing(missing)
    if others:
        raise LinkError("This widget imports %s, which the display doesn't have." % _short(others[0]))
    if realloc not in types:
        raise LinkError("This widget doesn't export %s: it can't be given its configuration." % realloc)
    for name in EXPORTS:
        post = prefix + name + "_post" if standard else "cabi_post_" + name
        export = Export(prefix + name, post if post in types else None)
        if name == "run":
            export.realloc = realloc
        layout.exports[name] = export
    if initialize in types:
        layout.initialize = initialize


def _missing(names):
    return LinkError("This file lacks what a widget must export: %s." % ", ".join(names))


def _needs_wasi(names):
    shown = ", ".join([_short(name) for name in names[:3]])
    if len(names) > 3:
        shown += " and %d more" % (len(names) - 3)
    return UnsupportedError(
        "This widget needs WASI (%s), which the display doesn't have: build it without." % shown
    )


# Files that hold no WebAssembly


def _not_wasm(view, magic):
    n = len(view)
    if n == 0:
        return MalformedError("The file is empty: download it again.")
    if magic[:4] == b"\x7fELF":
        return UnsupportedError(
            "This is a precompiled artefact for one Wasmtime version; it holds no WebAssembly. "
            "Install the component (.wasm) that it was made from."
        )
    if magic[:4] == b"\x00asm":
        if n < 8:
            return MalformedError("The file is cut off after %d bytes: download it again." % n)
        if magic[6] == 1:
            return UnsupportedError(
                "This component's format version isn't known: build it with a newer wit-component."
            )
        return UnsupportedError("This WebAssembly module's version isn't known.")
    head = bytes(view[:256])
    if n < 4 and b"\x00asm"[:n] == head:
        return MalformedError("The file is cut off after %d bytes: download it again." % n)
    start = head.lstrip().lower()
    if start.startswith(b"<!doctype") or start.startswith(b"<html") or start.startswith(b"<?xml"):
        return MalformedError("This is a web page, not a widget: check the address.")
    if start.startswith(b"(module") or start.startswith(b"(component") or start.startswith(b";;"):
        return MalformedError("This is WebAssembly in text form: install the .wasm file made from it.")
    for byte in head:
        if byte < 32 and byte not in (9, 10, 12, 13, 27):
            return MalformedError("This isn't WebAssembly: a widget is a .wasm component.")
    return MalformedError("This is a text file, not a widget: a widget is a .wasm component.")


# Reading


class _Reader:
    """A cursor over view[pos:end]. Every step is bounded by `end`."""

    def __init__(self, view, pos, end, what):
        self.view = view
        self.pos = pos
        self.end = end
        self.what = what

    def bad(self, why):
        return MalformedError("The file is damaged: %s at byte %d (%s)." % (why, self.pos, self.what))

    def byte(self):
        pos = self.pos
        if pos >= self.end:
            raise MalformedError("The file is cut off or damaged: %s ends early." % self.what)
        self.pos = pos + 1
        return self.view[pos]

    def u32(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value > 0xFFFFFFFF:
                    break
                return value
        raise self.bad("a number is out of range")

    def count(self):
        """The length of a vector: each element takes a byte at least."""
        n = self.u32()
        if n > self.end - self.pos:
            raise self.bad("a count is too large")
        if n > _MAX_ITEMS:
            raise UnsupportedError("This component is too complex: %d items in %s." % (n, self.what))
        return n

    def skip(self, n):
        if n > self.end - self.pos:
            raise MalformedError("The file is cut off or damaged: %s ends early." % self.what)
        self.pos += n

    def name(self):
        n = self.u32()
        start = self.pos
        self.skip(n)
        if n > _MAX_NAME:
            raise self.bad("a name is too long")
        try:
            return decode(bytes(self.view[start : start + n]))
        except ValueError:
            raise self.bad("a name isn't UTF-8")


def _at(space, index, what):
    if index >= len(space):
        raise MalformedError("The file is damaged: it names %s %d of %d." % (what, index, len(space)))
    return space[index]


def _peek_core(view, what):
    """(imported functions as (module, field), start function or None) of a small core module."""
    if bytes(view[:8]) != _CORE:
        raise MalformedError("The file is damaged: %s has no WebAssembly header." % what)
    reader = _Reader(view, 8, len(view), what)
    imports = []
    start = None
    while reader.pos < reader.end:
        section = reader.byte()
        size = reader.u32()
        body = _Reader(view, reader.pos, reader.pos + size, what)
        reader.skip(size)
        if section == 2:
            for _ in range(body.count()):
                module = body.name()
                field = body.name()
                kind = body.byte()
                if kind == _FUNC:
                    body.u32()
                    imports.append((module, field))
                elif kind == _TABLE:
                    body.byte()
                    _skip_limits(body)
                elif kind == _MEMORY:
                    _skip_limits(body)
                elif kind == _GLOBAL:
                    body.skip(2)
                else:
                    raise body.bad("an import has no known kind")
        elif section == 8:
            start = body.u32()
    return imports, start


def _skip_limits(body):
    flags = body.byte()
    if flags > 3:
        raise body.bad("a limit has no known form")
    body.u32()
    if flags & 1:
        body.u32()


# Components

_SECTIONS = (
    "a custom section",
    "a core module",
    "the core instances",
    "the core types",
    "a nested component",
    "the instances",
    "the aliases",
    "the types",
    "the canonical functions",
    "the start section",
    "the imports",
    "the exports",
    "the values",
)


class _Component:
    """The index spaces of a component, filled in the file's order. Each entry is a tuple that begins with its kind."""

    def __init__(self, view):
        self.view = view
        self.modules = []  # (start, end)
        self.core_funcs = []  # ("export", core instance, name) | ("lower", func, options)
        self.core_tables = []  # ("export", core instance, name)
        self.core_memories = []
        self.core_globals = []
        self.core_instances = []  # ("new", module, {name: core instance}) | ("inline", {name: (sort, index)})
        self.core_types = 0
        self.funcs = []  # ("alias", instance, name) | ("lift", core func, options) | ("import", name)
        self.instances = []  # ("import", name) | ("other",)
        self.types = 0
        self.exports = {}  # name -> func
        self.exported_instances = []
        self.wasi = []
        self.foreign = []
        self.items = 0

    def layout(self):
        try:
            self._read()
            self._refuse_strangers()
            return self._resolve()
        except UnsupportedError:
            # What else a WASI component holds follows from its being one.
            if self.wasi:
                raise _needs_wasi(self.wasi)
            raise

    def _refuse_strangers(self):
        if self.wasi:
            raise _needs_wasi(self.wasi)
        if self.foreign:
            raise UnsupportedError(
                "This component imports %s, which the display doesn't have." % _short(self.foreign[0])
            )
        if self.exported_instances:
            raise UnsupportedError(
                "This component exports the interface %s; a widget exports the functions of widget:widget/widget."
                % _short(self.exported_instances[0])
            )

    # The sections in order

    def _read(self):
        file = _Reader(self.view, 8, len(self.view), "the file")
        while file.pos < file.end:
            section = file.byte()
            if section >= len(_SECTIONS):
                file.pos -= 1
                raise file.bad("there is no section %d" % section)
            file.what = _SECTIONS[section]
            size = file.u32()
            start = file.pos
            file.skip(size)
            if section == 0:
                continue
            body = _Reader(self.view, start, start + size, _SECTIONS[section])
            if section == 1:
                self._add(self.modules, (start, start + size))
            elif section == 4:
                raise UnsupportedError(
                    "This component holds another component; only a widget on its own can run."
                )
            elif section == 9:
                raise UnsupportedError("This component has a start section, which the display doesn't have.")
            elif section == 12:
                raise UnsupportedError("This component holds values, which the display doesn't have.")
            elif section == 3:
                self.core_types += body.count()
            elif section == 7:
                self.types += body.count()
            else:
                for _ in range(body.count()):
                    if section == 2:
                        self._core_instance(body)
                    elif section == 5:
                        self._instance(body)
                    elif section == 6:
                        self._alias(body)
                    elif section == 8:
                        self._canon(body)
                    elif section == 10:
                        self._import(body)
                    else:
                        self._export(body)
                if body.pos != body.end:
                    raise body.bad("bytes are left over")

    def _count_item(self):
        self.items += 1
        if self.items > _MAX_ITEMS:
            raise UnsupportedError("This component is too complex: it has more than %d items." % _MAX_ITEMS)

    def _add(self, space, entry):
        self._count_item()
        space.append(entry)

    def _core_instance(self, body):
        form = body.byte()
        if form == 0:
            module = body.u32()
            _at(self.modules, module, "core module")
            arguments = {}
            for _ in range(body.count()):
                self._count_item()
                name = body.name()
                if body.byte() != _INSTANCE:
                    raise body.bad("an argument is no instance")
                index = body.u32()
                _at(self.core_instances, index, "core instance")
                arguments[name] = index
            self._add(self.core_instances, ("new", module, arguments))
        elif form == 1:
            exports = {}
            for _ in range(body.count()):
                self._count_item()
                name = body.name()
                sort = body.byte()
                index = body.u32()
                _at(self._core_space(body, sort), index, "core item")
                exports[name] = (sort, index)
            self._add(self.core_instances, ("inline", exports))
        else:
            raise body.bad("a core instance has no known form")

    def _core_space(self, body, sort):
        if sort == _FUNC:
            return self.core_funcs
        if sort == _TABLE:
            return self.core_tables
        if sort == _MEMORY:
            return self.core_memories
        if sort == _GLOBAL:
            return self.core_globals
        raise body.bad("a core item has no known sort")

    def _instance(self, body):
        if body.byte() == 0:
            raise UnsupportedError(
                "This component instantiates another component; only a widget on its own can run."
            )
        for _ in range(body.count()):
            self._extern_name(body)
            self._sort_index(body)
        self._add(self.instances, ("other",))

    def _alias(self, body):
        sort = body.byte()
        core = body.byte() if sort == 0 else None
        target = body.byte()
        if target == 0:
            index = body.u32()
            _at(self.instances, index, "instance")
            name = body.name()
            if sort == 1:
                self._add(self.funcs, ("alias", index, name))
            elif sort == 3:
                self.types += 1
            elif sort == 5:
                self._add(self.instances, ("other",))
            else:
                raise UnsupportedError("This component takes a module or component out of another.")
        elif target == 1:
            if core is None:
                raise body.bad("an alias of a core item has another sort")
            index = body.u32()
            _at(self.core_instances, index, "core instance")
            self._add(self._core_space(body, core), ("export", index, body.name()))
        elif target == 2:
            body.u32()
            body.u32()
            if sort != 3:
                raise UnsupportedError("This component refers to one around it.")
            self.types += 1
        else:
            raise body.bad("an alias has no known target")

    def _canon(self, body):
        form = body.byte()
        if form > 1:
            what = "resources" if 2 <= form <= 4 else "asynchronous functions or threads"
            raise UnsupportedError(
                "This component uses %s of the component model, which the display doesn't have." % what
            )
        if body.byte() != 0:
            raise body.bad("a canonical function has no known form")
        index = body.u32()
        if form == 0:
            _at(self.core_funcs, index, "core function")
            options = self._options(body)
            if body.u32() >= self.types:
                raise body.bad("a type is out of range")
            self._add(self.funcs, ("lift", index, options))
        else:
            _at(self.funcs, index, "function")
            self._add(self.core_funcs, ("lower", index, self._options(body)))

    def _options(self, body):
        """(memory, realloc, post-return), each an index or None."""
        memory = realloc = post = None
        for _ in range(body.count()):
            option = body.byte()
            if option in (1, 2):
                raise UnsupportedError(
                    "This component's strings are UTF-16 or Latin-1; the display takes UTF-8."
                )
            if option == 3:
                memory = body.u32()
                _at(self.core_memories, memory, "core memory")
            elif option == 4:
                realloc = body.u32()
                _at(self.core_funcs, realloc, "core function")
            elif option == 5:
                post = body.u32()
                _at(self.core_funcs, post, "core function")
            elif option in (6, 7):
                raise UnsupportedError(
                    "This component's functions are asynchronous, which the display doesn't have."
                )
            elif option != 0:
                raise UnsupportedError(
                    "This component has a canonical option (%d) that isn't known." % option
                )
        return (memory, realloc, post)

    def _extern_name(self, body):
        form = body.byte()
        if form > 1:
            raise body.bad("a name has no known form")
        return body.name()

    def _sort_index(self, body):
        sort = body.byte()
        if sort == 0:
            sort = 0x100 | body.byte()
        return sort, body.u32()

    def _extern_type(self, body):
        kind = body.byte()
        if kind == 0:
            body.byte()
            body.u32()
        elif kind in (1, 4, 5):
            body.u32()
        elif kind == 3:
            if body.byte() == 0:
                body.u32()
        else:
            raise body.bad("an import has no known kind")
        return kind

    def _import(self, body):
        name = self._extern_name(body)
        kind = self._extern_type(body)
        if kind == 3:
            self.types += 1
            return
        known = False
        if kind == 5:
            known = name.startswith(_PACKAGE) and name[len(_PACKAGE) :] in _INTERFACES
            self._add(self.instances, ("import", name[len(_PACKAGE) :]) if known else ("other",))
        elif kind == 1:
            self._add(self.funcs, ("import", name))
        elif kind == 0:
            self._add(self.modules, (0, 0))
        if not known:
            self._add(self.wasi if name.startswith("wasi:") else self.foreign, name)

    def _export(self, body):
        name = self._extern_name(body)
        sort, index = self._sort_index(body)
        ascribed = body.byte()
        if ascribed == 1:
            self._extern_type(body)
        elif ascribed != 0:
            raise body.bad("an export has no known form")
        # An export is a new item of its index space.
        if sort == 1:
            entry = _at(self.funcs, index, "function")
            self._add(self.funcs, entry)
            self.exports[name] = entry
        elif sort == 3:
            self.types += 1
        elif sort == 5:
            self._add(self.instances, _at(self.instances, index, "instance"))
            self.exported_instances.append(name)
        else:
            raise UnsupportedError("This component exports %s, which is no function." % _short(name))

    # What the index spaces mean

    def _resolve(self):
        missing = [name for name in sorted(EXPORTS) if name not in self.exports]
        if missing:
            raise _missing(missing)
        main = self._main()
        start, end = self.modules[self.core_instances[main][1]]
        layout = Layout("component", self.view[start:end])
        if bytes(layout.main[:8]) != _CORE:
            raise MalformedError("The file is damaged: its core module has no WebAssembly header.")
        for name in EXPORTS:
            _kind, core, options = self.exports[name]
            realloc = self._of_main(main, self.core_funcs, options[1])
            post = self._of_main(main, self.core_funcs, options[2])
            memory = self._of_main(main, self.core_memories, options[0])
            if name == "run" and (realloc is None or memory is None):
                raise MalformedError("The file is damaged: run has no memory or no realloc.")
            if memory is None and name != "get-run-update-cycle-seconds":
                raise MalformedError("The file is damaged: %s has no memory." % name)
            layout.exports[name] = Export(self.core_funcs[core][2], post, realloc)
        known = {main}
        for module, instance in self.core_instances[main][2].items():
            self._provide(layout, main, module, instance, known)
        self._start_functions(layout, main, known)
        return layout

    def _main(self):
        """The one core instance that all exports of the world come from."""
        main = None
        for name in EXPORTS:
            func = self.exports[name]
            if func[0] != "lift":
                raise UnsupportedError("This component's export %s is not its own function." % name)
            core = self.core_funcs[func[1]]
            if core[0] != "export" or (main is not None and core[1] != main):
                raise UnsupportedError(
                    "This component's exports come from several core modules; one is supported."
                )
            main = core[1]
        if self.core_instances[main][0] != "new":
            raise UnsupportedError("This component's exports don't come from a core module.")
        return main

    def _of_main(self, main, space, index):
        """The name of the main module's export behind an option, None for None."""
        if index is None:
            return None
        entry = space[index]
        if entry[0] != "export" or entry[1] != main:
            raise UnsupportedError("This component's memory or allocator isn't its main module's.")
        return entry[2]

    def _provide(self, layout, main, module, instance, known):
        entry = self.core_instances[instance]
        if entry[0] != "inline":
            raise UnsupportedError(
                "This component links several core modules (%s); one is supported." % _short(module)
            )
        for field, (sort, index) in entry[1].items():
            if sort != _FUNC:
                raise UnsupportedError(
                    "This component's core module imports what isn't a function (%s)." % _short(field)
                )
            core = self.core_funcs[index]
            if len(layout.imports) >= _MAX_IMPORTS:
                raise UnsupportedError(
                    "This component's core module has more than %d imports." % _MAX_IMPORTS
                )
            early = core[0] == "lower"
            if not early:
                core = self._through_shim(main, core, known)
            layout.imports[(module, field)] = self._lowered(main, core, early)

    def _through_shim(self, main, core, known):
        """The lowered function that the fixup module puts into the shim's slot.

        The shim is a core module whose functions "0", "1"... jump through its table; the fixup's instantiation is given
        that table and, under the same names, the functions to put there.
        """
        shim, slot = core[1], core[2]
        entry = self.core_instances[shim]
        if shim == main or entry[0] != "new" or entry[2]:
            raise UnsupportedError("This component's core module imports from another one; one is supported.")
        for number, candidate in enumerate(self.core_instances):
            if candidate[0] != "new" or number in (main, shim):
                continue
            linked = False
            found = None
            for argument in candidate[2].values():
                if argument == shim:
                    linked = True
                    continue
                given = self.core_instances[argument]
                if given[0] != "inline":
                    continue
                for field, (sort, index) in given[1].items():
                    if sort == _TABLE and self.core_tables[index][1] == shim:
                        linked = True
                    elif sort == _FUNC and field == slot:
                        found = self.core_funcs[index]
            if linked and found is not None and found[0] == "lower":
                known.add(shim)
                known.add(number)
                return found
        raise UnsupportedError(
            "This component's wrapper isn't known: build it with wit-component 0.220 or newer."
        )

    def _lowered(self, main, core, early):
        func = self.funcs[core[1]]
        instance = self.instances[func[1]] if func[0] == "alias" else None
        if instance is None or instance[0] != "import":
            raise UnsupportedError("This component imports what isn't a host function.")
        interface, function = instance[1], func[2]
        if (interface, function) not in IMPORTS:
            raise LinkError(
                "This widget imports %s, which nothing provides." % _short(interface + " " + function)
            )
        memory = self._of_main(main, self.core_memories, core[2][0])
        realloc = self._of_main(main, self.core_funcs, core[2][1])
        if core[2][2] is not None:
            raise MalformedError("The file is damaged: an import has a post-return function.")
        if (memory is None and (interface, function) != _WITHOUT_MEMORY) or (
            realloc is None and interface == "http"
        ):
            raise MalformedError("The file is damaged: an import has no memory or no realloc.")
        return Import(interface, function, realloc, early)

    def _start_functions(self, layout, main, known):
        """Finds `_initialize`: the start function of another core module that is an import from the main one."""
        for number, entry in enumerate(self.core_instances):
            if entry[0] != "new" or number == main:
                continue
            start, end = self.modules[entry[1]]
            imports, first = _peek_core(self.view[start:end], "a core module")
            if first is None:
                if number not in known:
                    raise UnsupportedError("This component links several core modules; one is supported.")
                continue
            name = self._origin(main, entry[2], imports[first]) if first < len(imports) else None
            if name is None or layout.initialize is not None:
                raise UnsupportedError("This component starts code outside its main core module.")
            layout.initialize = name

    def _origin(self, main, arguments, wanted):
        """The name of the main module's export that an import (module, field) of another module is, or None."""
        module, field = wanted
        if module not in arguments:
            return None
        instance = arguments[module]
        if instance == main:
            return field
        entry = self.core_instances[instance]
        if entry[0] != "inline" or field not in entry[1] or entry[1][field][0] != _FUNC:
            return None
        core = self.core_funcs[entry[1][field][1]]
        return core[2] if core[0] == "export" and core[1] == main else None
