"""The interfaces of widget:widget/widget for Wasmtime, the reference host. For programs that have it on their path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wasmtime import component


def record(**fields: Any) -> Any:
    """A record of the component model; an underscore in a field's name stands for a hyphen."""
    value = component.Record()
    for name, content in fields.items():
        setattr(value, name.replace("_", "-"), content)
    return value


def linker(
    engine: Any,
    now: Callable[..., Any],
    random: Callable[..., int],
    log: Callable[..., None],
    request: Callable[..., Any],
) -> Any:
    """A component.Linker with the four interfaces, whose functions take a store and then what the interface says."""
    made = component.Linker(engine)
    functions = {
        "clocks": ("now", now),
        "random": ("get-random", random),
        "logging": ("log", log),
        "http": ("request", request),
    }
    with made.root() as root:
        with root.add_instance("widget:widget/types"):
            pass
        for interface, (name, function) in functions.items():
            with root.add_instance(f"widget:widget/{interface}") as instance:
                instance.add_func(name, function)
    return made
