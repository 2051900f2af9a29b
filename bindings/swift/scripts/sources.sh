#!/bin/sh
# Puts the generated files where the package looks for them. `testing` takes those of the test library.
# Run `cargo xtask bindings` first.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
made="$here/../../target/bindings/${1:-.}/swift"
if [ ! -f "$made/AmparoCore.swift" ]; then
    echo "nothing in $made: cargo xtask bindings" >&2
    exit 2
fi
mkdir -p "$here/Sources/AmparoCore"
cp "$made/AmparoCore.swift" "$here/Sources/AmparoCore/AmparoCore.swift"
cp "$made/AmparoFFI.h" "$here/Sources/AmparoFFI/include/AmparoFFI.h"
