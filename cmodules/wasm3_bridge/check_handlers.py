"""Looks at the compiled handlers of wasm3: does each end in a jump, and does none call what it must not?

Usage: check_handlers.py OBJDUMP OBJECTS...

Of the objects, that of m3_exec.c is looked at, and that of xtensa/ways.S. With the latter, the handlers are call0 code
in a program of Xtensa's windowed ABI, and what is said in ways.S is checked too. Exit code 1, with a line for each
fault.
"""

import os
import re
import subprocess
import sys

#: The handlers that return: a run's last one, and what a trap leads to.
RETURNING = {"op_End", "op_Suspend", "op_Trap"}

#: The base save area, which m3_EnterCode must leave below its stack pointer.
SAVE_AREA = 16

JUMPS = {"jmp", "jx", "j", "j.l", "br", "b", "bx"}
RETURNS = {"ret", "ret.n", "retq", "retl", "retw", "retw.n", "jr"}


class Instruction:
    def __init__(self, name, operands):
        self.name = name
        self.operands = operands
        self.target = ""  # of its relocation
        self.expanded = ""  # the function that it, and the call after it, is the long form of a call of


def functions(objdump, file):
    """The instructions of each function, and the symbols that each one's literals name."""
    done = subprocess.run([objdump, "-dr", file], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"check_handlers: {objdump} can't read {file}: {done.stderr.strip()}")
    found, literals = {}, {}
    body = names = None
    for line in done.stdout.splitlines():
        head = re.match(r"[0-9a-f]+ <(\S+)>:$", line)
        if head:
            # What a pool of literals holds is no code. It is told as "function-0x8", or lies in a section of its own
            # (".literal.function") where the build has no -mtext-section-literals, as ESP-IDF's has not.
            name, pool, _ = head[1].partition("-0x")
            body = [] if pool or name.startswith(".literal") else found.setdefault(name, [])
            names = literals.setdefault(name, [])
            continue
        relocation = re.match(r"\s+[0-9a-f]+: (R_\S+)\s+([^\s+-]+)", line)
        if relocation and body is not None:
            if relocation[1] == "R_XTENSA_32":
                names.append(relocation[2])
            elif body:
                body[-1].target = relocation[2]
                if relocation[1] == "R_XTENSA_ASM_EXPAND":
                    body[-1].expanded = relocation[2]
            continue
        code = re.match(r"\s+[0-9a-f]+:\t[0-9a-f ]+\t(\S+)(?:\s+(.*))?$", line)
        if code and body is not None:
            operands = re.sub(r"\s+<.*", "", code[2] or "")
            body.append(Instruction(code[1], [part.strip() for part in operands.split(",")]))
    return found, literals


def literals_of(objdump, file):
    """Symbols by the section that holds a literal of them."""
    done = subprocess.run([objdump, "-r", file], capture_output=True, text=True, check=True)
    found = {}
    section = ""
    for line in done.stdout.splitlines():
        head = re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line)
        if head:
            section = head[1]
        relocation = re.match(r"[0-9a-f]+ R_XTENSA_32\s+([^\s+-]+)", line)
        if relocation:
            found.setdefault(section, []).append(relocation[1])
    return found


def jumps_only(found):
    """Every handler ends in a jump, and returns nowhere."""
    handlers = {name: body for name, body in found.items() if name.startswith("op_") and body}
    if len(handlers) < 300:
        yield f"there are only {len(handlers)} handlers: is this m3_exec.c?"
    for name, body in sorted(handlers.items()):
        if re.split(r"[.$]", name)[0] in RETURNING:
            continue
        returns = [i.name for i in body if i.name in RETURNS]
        if returns:
            yield f"{name} returns ({returns[0]}): it makes calls where it should jump, so that the native stack grows"
        elif not any(i.name in JUMPS for i in body):
            yield f"{name} does not end in a jump"


def call0_only(found):
    """No instruction of the windowed ABI, no call but to the ways out, and nothing that others could call."""
    for name, body in sorted(found.items()):
        if not name.startswith("op_"):
            yield f"{name} is no handler: others, of the windowed ABI, could call it"
        for before, i in zip([None, *body], body, strict=False):
            # with -mlongcalls: l32r a0, the function; callx0 a0. The linker makes that one call if it is near
            long = i.name == "callx0" and before and before.name == "l32r" and before.operands[0] == "a0"
            target = before.expanded if long else i.target
            if re.match(r"(call|callx)(4|8|12)$|entry|retw|movsp|rotw", i.name):
                yield f"{name} has {i.name}, which is the windowed ABI's"
            elif i.name == "callx0" and not target:
                yield f"{name} calls by a register (callx0): to where can't be checked"
            elif i.name in ("call0", "callx0") and not target.startswith("call0_"):
                yield f"{name} calls {target or i.operands[0]}: it has no way out in xtensa/calls.inc"
            elif i.name == "j" and i.target and not i.target.startswith((".text", "op_", ".iram", "notrap")):
                yield f"{name} jumps to {i.target}, which is no handler"


def ways(found, literals, sections):
    """The way in and the ways out, as ways.S says that they must be."""
    entry = found.pop("m3_EnterCode", None)
    if not entry:
        yield "m3_EnterCode is not there"
        return
    order = [i.name for i in entry]
    spilled = "__xtensa_libgcc_window_spill" in [
        *literals.get("m3_EnterCode", []),
        *sections.get(".text.m3_EnterCode", []),
        *sections.get(".literal.m3_EnterCode", []),
    ]
    lowered = [
        n
        for n, i in enumerate(entry)
        if i.name in ("addi", "addmi")
        and i.operands[:2] == ["a1", "a1"]
        and int(i.operands[2], 0) <= -SAVE_AREA
    ]
    if "callx4" not in order or not spilled or "callx0" not in order:
        yield "m3_EnterCode does not spill the register windows before it enters"
    elif not lowered or not order.index("callx4") < lowered[0] < order.index("callx0"):
        yield "m3_EnterCode does not leave the save area below its stack pointer before it enters"
    for name, body in sorted([*found.items(), ("m3_EnterCode", entry)]):
        for i in body:
            if re.match(r"(call|callx)(8|12)$", i.name):
                yield f"{name} has {i.name}: its window would be written to where no frame is (see ways.S)"
    for name, body in sorted(found.items()):
        if not name.startswith("call0_"):
            if body and body[0].name == "entry":
                yield f"{name} is of the windowed ABI: a handler could come to it"
            continue
        order = [i.name for i in body]
        named = [
            *literals.get(name, []),
            *sections.get(f".text.{name}", []),
            *sections.get(f".literal.{name}", []),
        ]
        if order.count("callx4") != 1 or name[len("call0_") :] not in named:
            yield f"{name} does not call {name[len('call0_') :]} by one callx4"
        if not order or order[-1] not in ("ret", "ret.n"):
            yield f"{name} does not end in a return"


def faults(objdump, handlers, ways_object=None):
    """All that is wrong, as sentences."""
    found, _ = functions(objdump, handlers)
    yield from jumps_only(found)
    if ways_object is not None:
        yield from call0_only(found)
        found, literals = functions(objdump, ways_object)
        yield from ways(found, literals, literals_of(objdump, ways_object))


def main():
    objects = {os.path.basename(path).partition(".")[0]: path for path in sys.argv[2:]}
    if "m3_exec" not in objects:
        raise SystemExit(__doc__)
    told = list(faults(sys.argv[1], objects["m3_exec"], objects.get("ways")))
    for fault in told:
        print(f"{objects['m3_exec']}: {fault}", file=sys.stderr)
    sys.exit(1 if told else 0)


if __name__ == "__main__":
    main()
