#!/bin/sh
# Builds the example: sh widgets/examples/zig/build.sh OUT.wasm
set -e
root=$(cd "$(dirname "$0")/../../.." && pwd)
PATH=$root/.venv/bin:$PATH
out=${1:?usage: build.sh OUT.wasm}
core=$(mktemp -d)
trap 'rm -rf "$core"' EXIT
python -m ziglang build-exe "$root/widgets/examples/zig/widget.zig" -target wasm32-freestanding \
    -mcpu=mvp -O ReleaseSmall -fno-entry -rdynamic -fstrip --stack 8192 -femit-bin="$core/core.wasm"
wg widget wrap "$core/core.wasm" -o "$out"
