#!/bin/sh
# Builds the example: sh widgets/examples/zig/build.sh OUT.wasm
set -e
root=$(cd "$(dirname "$0")/../../.." && pwd)
out=${1:?usage: build.sh OUT.wasm}
core=$(mktemp -d)
trap 'rm -rf "$core"' EXIT
"$root/.venv/bin/python" -m ziglang build-exe "$root/widgets/examples/zig/widget.zig" -target wasm32-freestanding \
    -mcpu=mvp -O ReleaseSmall -fno-entry -rdynamic -fstrip --stack 8192 -femit-bin="$core/core.wasm"
"$root/.venv/bin/wg" widget wrap "$core/core.wasm" -o "$out"
