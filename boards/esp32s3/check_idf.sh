#!/bin/sh
# Is there an ESP-IDF that the firmware can be built with? Says nothing if so; else prints what is missing and how to
# get it, and ends with 1. Only looks: runs nothing of ESP-IDF.
idf=${IDF_PATH:-}
tools=${IDF_TOOLS_PATH:-$HOME/.espressif}
missing=
if [ -z "$idf" ]; then
    missing="IDF_PATH is not set: it names the folder of ESP-IDF."
elif [ ! -f "$idf/tools/cmake/project.cmake" ] || [ ! -f "$idf/export.sh" ]; then
    missing="IDF_PATH is $idf, which is no folder of ESP-IDF."
else
    version=$(sed -n 's/^set(IDF_VERSION_\(MAJOR\|MINOR\) *\([0-9]*\).*/\2/p' "$idf/tools/cmake/version.cmake" 2>/dev/null |
        head -2 | paste -sd.)
    case $version in
    5.2 | 5.3 | 5.4)
        command -v xtensa-esp32s3-elf-gcc >/dev/null 2>&1 || [ -n "$(ls -d "$tools"/tools/xtensa-esp-elf/* 2>/dev/null)" ] ||
            missing="ESP-IDF $version is there, its compiler for the ESP32-S3 is not (looked in $tools)."
        ;;
    *) missing="ESP-IDF in $idf is version ${version:-unknown}; MicroPython 1.26 builds with 5.2, 5.3 and 5.4." ;;
    esac
fi
[ -z "$missing" ] && exit 0
cat <<PAGE
The firmware for the ESP32-S3 is built with Espressif's ESP-IDF, which is not in any package registry.

Missing:  $missing

Either install it (about 3 GB, and ninja: \`apt-get install ninja-build\`; v5.4.2 is the version that MicroPython names):

    git clone --depth 1 --branch v5.4.2 --recursive --shallow-submodules \\
        https://github.com/espressif/esp-idf.git ~/esp-idf
    ~/esp-idf/install.sh esp32s3
    make firmware IDF_PATH=~/esp-idf

Or build in Espressif's container, where everything is installed (docker or podman):

    make firmware-sources && docker run --rm -v "\$PWD:\$PWD" -w "\$PWD" \\
        espressif/idf:v5.4.2 boards/esp32s3/build.sh

Both give build/esp32s3/firmware.bin (all of the flash), app.bin (for updates), firmware.map and size.txt;
\`make flash PORT=/dev/ttyACM0\` writes it. The first build fetches mdns, esp_tinyusb and tinyusb from Espressif.
No board at hand, or no ESP-IDF? \`make run\` runs the same firmware on a simulated one.
More: docs/hardware.md
PAGE
exit 1
