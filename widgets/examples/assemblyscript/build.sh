#!/bin/sh
# Builds the example: sh widgets/examples/assemblyscript/build.sh OUT.wasm
set -e
root=$(cd "$(dirname "$0")/../../.." && pwd)
PATH=$root/.venv/bin:$PATH
out=$(realpath "${1:?usage: build.sh OUT.wasm}")
bin=$root/build/node/node_modules/.bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$root/widgets/examples/assemblyscript/widget.ts" "$scratch"
cd "$scratch"
"$bin/asc" widget.ts --textFile widget.wat --runtime stub --use abort= -Oz --noAssert \
    --disable sign-extension --disable bulk-memory --disable nontrapping-f2i
# The language has no names with hyphens.
sed -E -i '/\(export "get_/ { :again; s/(\(export "[a-z-]*)_/\1-/; t again }' widget.wat
"$bin/wat2wasm" widget.wat -o core.wasm
wg widget wrap core.wasm -o "$out"
