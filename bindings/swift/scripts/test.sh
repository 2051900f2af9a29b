#!/bin/sh
# Runs the tests against the test library. Words given are passed on to `swift test`.
set -eu
cd "$(dirname "$0")/.."
sh scripts/sources.sh testing
library=$(cd ../../target/bindings/testing/lib && pwd)
AMPARO_TESTING=1 LD_LIBRARY_PATH="$library" swift test \
    -Xlinker "-L$library" -Xlinker -rpath -Xlinker "$library" "$@"
