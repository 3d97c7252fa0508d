"""Wrappers that no tool writes: each is refused for the reason that it is, and the one without a fault is taken."""

from __future__ import annotations

from pathlib import Path

import probes
import pytest
from parser_alone import component, errors

_MAIN = """
 (core module $m
  (import "widget:widget/random" "get-random" (func (result i64)))
  (memory (export "memory") 1) (table (export "table") 1 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
  (func (export "start"))
  (func $t (result i32) i32.const 0)
  (export "get-name" (func $t)) (export "get-version" (func $t)) (export "get-config-schema" (func $t))
  (export "get-run-update-cycle-seconds" (func $t))
  (func (export "run") (param i64 i32 i32 i32) (result i32) i32.const 0))"""
_LIFTS = """
 (type $context (record (field "config" string)))
 (func $name (result string) (canon lift (core func $i "get-name") (memory $i "memory")))
 (export "get-name" (func $name))
 (func $version (result string) (canon lift (core func $i "get-version") (memory $i "memory")))
 (export "get-version" (func $version))
 (func $schema (result string) (canon lift (core func $i "get-config-schema") (memory $i "memory")))
 (export "get-config-schema" (func $schema))
 (func $cycle (result u32) (canon lift (core func $i "get-run-update-cycle-seconds")))
 (export "get-run-update-cycle-seconds" (func $cycle))
 (func $run (param "context" $context) (result string)
  (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "cabi_realloc"))))
 (export "run" (func $run))"""
_IMPORT = """
 (import "widget:widget/random" (instance $r (export "get-random" (func (result u64)))))
 (core func $l (canon lower (func $r "get-random")))"""
_INSTANCE = """
 (core instance $a (export "get-random" (func $l)))
 (core instance $i (instantiate $m (with "widget:widget/random" (instance $a))))"""
_OTHER = (
    '(core module $o (memory (export "memory") 1)'
    ' (func $f (result i64) i64.const 0) (export "get-random" (func $f)))'
)


def _component(instance: str = _INSTANCE, lifts: str = _LIFTS, more: str = "", imports: str = _IMPORT) -> str:
    return f"(component {imports} {_MAIN} {instance} {more} {lifts})"


def _starter(body: str, arguments: str = "") -> str:
    return f"(core module $s {body}) (core instance $si (instantiate $s {arguments}))"


_GIVE_MAIN = '(with "main" (instance $i))'
CASES = {
    "good": (_component(), None),
    "start by the main instance": (
        _component(more=_starter('(import "main" "start" (func $f)) (start $f)', _GIVE_MAIN)),
        None,
    ),
    "start of its own": (_component(more=_starter("(func $f) (start $f)")), "starts code outside"),
    "two starts": (
        _component(
            more=_starter('(import "main" "start" (func $f)) (start $f)', _GIVE_MAIN)
            + f" (core instance (instantiate $s {_GIVE_MAIN}))"
        ),
        "starts code outside",
    ),
    "start out of range": (_component(more=_starter("(start 7)")), "starts code outside"),
    "module that does nothing": (_component(more=_starter("")), "several core modules"),
    "module around main": (
        _component(
            more=_starter('(import "main" "start" (func $f)) (func (export "x") call $f)', _GIVE_MAIN)
        ),
        "several core modules",
    ),
    "import from another module": (
        _component(
            f"{_OTHER} (core instance $oi (instantiate $o))"
            ' (core instance $a (export "get-random" (func $oi "get-random")))'
            ' (core instance $i (instantiate $m (with "widget:widget/random" (instance $a))))'
        ),
        "wrapper isn't known",
    ),
    "import of a whole module": (
        _component(
            f"{_OTHER} (core instance $oi (instantiate $o))"
            ' (core instance $i (instantiate $m (with "widget:widget/random" (instance $oi))))'
        ),
        "links several core modules",
    ),
    "import of a memory": (
        _component(
            f"{_OTHER} (core instance $oi (instantiate $o))"
            ' (core instance $a (export "get-random" (func $l)) (export "m" (memory $oi "memory")))'
            ' (core instance $i (instantiate $m (with "widget:widget/random" (instance $a))))'
        ),
        "isn't a function",
    ),
    "memory of another module": (
        _component(
            _INSTANCE + f"{_OTHER} (core instance $oi (instantiate $o))",
            _LIFTS.replace('"get-name") (memory $i', '"get-name") (memory $oi'),
        ),
        "isn't its main module's",
    ),
    "exports of two instances": (
        _component(
            _INSTANCE + ' (core instance $j (instantiate $m (with "widget:widget/random" (instance $a))))',
            _LIFTS.replace('(core func $i "get-name")', '(core func $j "get-name")'),
        ),
        "several core modules",
    ),
    "unknown host function": (
        _component(imports=_IMPORT.replace("get-random", "get-entropy")),
        "imports random get-entropy",
    ),
    "function of a function": (
        _component(
            imports='(core module $x (func (export "f") (result i64) i64.const 0)) (core instance $xi (instantiate $x))'
            ' (func $f (result u64) (canon lift (core func $xi "f"))) (core func $l (canon lower (func $f)))'
        ),
        "isn't a host function",
    ),
    "lowered without memory": (
        _component(
            imports='(import "widget:widget/clocks" (instance $r (export "now" (func (result u64)))))'
            ' (core func $l (canon lower (func $r "now")))'
        ),
        "no memory",
    ),
    "result without memory": (
        _component(lifts=_LIFTS.replace('"get-name") (memory $i "memory")', '"get-name")')),
        "get-name has no memory",
    ),
    "run without realloc": (
        _component(lifts=_LIFTS.replace('(realloc (func $i "cabi_realloc"))', "")),
        "run has no memory or no realloc",
    ),
    "export that is an import": (
        _component(
            imports=_IMPORT + ' (alias export $r "get-random" (func $name2))',
            lifts=_LIFTS.replace('(export "get-name" (func $name))', '(export "get-name" (func $name2))'),
        ),
        "is not its own function",
    ),
}


@pytest.fixture(scope="module")
def built() -> dict[str, Path]:
    jobs = [("wrapper-" + name.replace(" ", "-"), text, "component") for name, (text, _) in CASES.items()]
    return dict(zip(CASES, probes.build(jobs).values(), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_wrapper(built: dict[str, Path], name: str) -> None:
    part = CASES[name][1]
    data = built[name].read_bytes()
    if part is None:
        layout = component.load(data)
        assert layout.kind == "component"
        assert layout.initialize == ("start" if "start" in name else None)
    else:
        with pytest.raises(errors.WidgetError) as caught:
            component.load(data)
        assert part in str(caught.value)
