"""What takes the flash and the memory: a report from the linker's map.

    python size_report.py firmware.map app.bin partitions.csv

By kind of memory, and of that the engine's share (wasm3 and our bridge to it), our other C modules, the frozen Python,
MicroPython, ESP-IDF with its libraries, and the gaps between sections. Standard library only: it runs in ESP-IDF's
container.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

# Output sections of ESP-IDF's linker scripts: where they lie at run time.
KINDS = (
    ("flash code", re.compile(r"\.flash\.text$")),
    ("flash data", re.compile(r"\.flash\.(rodata|appdesc|tdata|init_array)$")),
    ("IRAM", re.compile(r"\.iram0\.(text|vectors|data|bss)$")),
    ("DRAM data", re.compile(r"\.dram0\.data$|\.noinit$")),
    ("DRAM zeroed", re.compile(r"\.dram0\.bss$")),
    ("RTC memory", re.compile(r"\.rtc")),
)
GROUPS = (
    ("engine", re.compile(r"libwg_(wasm3|engine)\.a|\((modwasm3|buffer)\.c")),
    ("C modules", re.compile(r"\((modpixels|pixels|png|qr|modwgrelease|lfs_cycles|modwgconsole)\.c")),
    ("frozen Python", re.compile(r"\(frozen_content\.c")),
    ("MicroPython", re.compile(r"libmain\.a")),
)
REST = "ESP-IDF"
GAPS = "gaps"
# ".flash.text  0xaddress  0xsize"; a long name stands on a line of its own, here and below.
_OUTPUT = re.compile(r"^(\.[\w.]+)(?:\s+(0x[0-9a-f]+\s+0x[0-9a-f]+).*)?$")
_PLACE = re.compile(r"^\s+(0x[0-9a-f]+\s+0x[0-9a-f]+)$")
# " .text.name  0xaddress  0xsize  path/libx.a(file.o)"
_INPUT = re.compile(r"^ (?:[.\w$*]+)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")


def _named(table, text, other):
    return next((name for name, pattern in table if pattern.search(text)), other)


def _shares(inputs, size):
    """-> {group: bytes} of an output section of `size` bytes; `inputs`: (address, size, file), as the map has them.

    Strings that many files have are told with each of them, at the same address and with their size there, but are in
    the image once. So nothing is taken to be longer than up to the next address.
    """
    shares = defaultdict(int)
    last = {}
    for address, length, file in inputs:
        if length:
            last[address] = (length, file)
    addresses = sorted(last)
    for address, following in zip(addresses, [*addresses[1:], None]):
        length, file = last[address]
        if following is not None:
            length = min(length, following - address)
        shares[_named(GROUPS, file, REST)] += length
    if size > sum(shares.values()):
        shares[GAPS] = size - sum(shares.values())
    return shares


def read_map(lines):
    """-> {kind: {group: bytes}} of the sections that are loaded or reserved."""
    sizes = defaultdict(lambda: defaultdict(int))
    kind, size, inputs = None, None, []

    def close():
        if kind:
            for group, share in _shares(inputs, size or 0).items():
                sizes[kind][group] += share

    started = False
    for line in lines:
        line = line.rstrip("\n")
        if not started:
            started = line.startswith("Linker script and memory map")
            continue
        if line.startswith("Cross Reference Table"):
            break
        output = _OUTPUT.match(line)
        if output:
            close()
            kind, size, inputs = _named(KINDS, output.group(1), None), output.group(2), []
            size = int(size.split()[1], 16) if size else None
            continue
        if not kind:
            continue
        place = _PLACE.match(line)
        entry = _INPUT.match(line)
        if size is None and place:
            size = int(place.group(1).split()[1], 16)
        elif entry and not entry.group(3).startswith("0x"):
            inputs.append((int(entry.group(1), 16), int(entry.group(2), 16), entry.group(3)))
    close()
    return {kind: dict(groups) for kind, groups in sizes.items()}


def slot_size(csv):
    """Bytes of the first app slot in a partition table's CSV."""
    for line in csv.splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(",")]
        if len(fields) > 4 and fields[1] == "app":
            return int(fields[4], 0)
    raise ValueError("the partition table has no app slot")


def report(sizes, app_bytes, slot):
    """-> the table as text, all in bytes."""
    groups = [*(name for name, _ in GROUPS), REST, GAPS]
    lines = ["%-12s" % "" + "".join("%14s" % g for g in groups) + "%14s" % "all"]
    for kind, _ in KINDS:
        row = sizes.get(kind, {})
        cells = [row.get(g, 0) for g in groups]
        lines.append("%-12s" % kind + "".join("%14d" % c for c in cells) + "%14d" % sum(cells))
    lines.append("")
    lines.append("app.bin %d of %d bytes of a slot, %d %%" % (app_bytes, slot, app_bytes * 100 // slot))
    return "\n".join(lines)


def main(map_path, app_path, csv_path):
    with open(map_path, errors="replace") as lines:
        sizes = read_map(lines)
    app = Path(app_path).stat().st_size
    slot = slot_size(Path(csv_path).read_text())
    print(report(sizes, app, slot))
    if app > slot:
        sys.exit("boards/esp32s3: app.bin is larger than its slot")


if __name__ == "__main__":
    main(*sys.argv[1:])
