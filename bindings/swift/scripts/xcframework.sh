#!/bin/sh
# Builds AmparoFFI.xcframework for iOS (arm64), its simulator and macOS, and puts the shipped sources into place.
# Needs macOS with Xcode and rustup. Written on a machine that has neither: it was never run.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
out="$root/target/bindings/xcframework"
export IPHONEOS_DEPLOYMENT_TARGET=15.0 MACOSX_DEPLOYMENT_TARGET=12.0

cd "$root"
cargo xtask bindings
for target in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
    rustup target add "$target"
    cargo rustc --locked --release -p amparo --lib --crate-type staticlib --target "$target"
done

rm -rf "$out" "$here/AmparoFFI.xcframework"
# In a folder of its own, so that the module maps of two frameworks do not meet in one place.
mkdir -p "$out/headers/AmparoFFI" "$out/ios" "$out/simulator" "$out/macos"
cp target/bindings/swift/AmparoFFI.h "$here/Sources/AmparoFFI/include/module.modulemap" "$out/headers/AmparoFFI/"
cp target/aarch64-apple-ios/release/libamparo.a "$out/ios/"
lipo -create -output "$out/simulator/libamparo.a" \
    target/aarch64-apple-ios-sim/release/libamparo.a target/x86_64-apple-ios/release/libamparo.a
lipo -create -output "$out/macos/libamparo.a" \
    target/aarch64-apple-darwin/release/libamparo.a target/x86_64-apple-darwin/release/libamparo.a

xcodebuild -create-xcframework \
    -library "$out/ios/libamparo.a" -headers "$out/headers" \
    -library "$out/simulator/libamparo.a" -headers "$out/headers" \
    -library "$out/macos/libamparo.a" -headers "$out/headers" \
    -output "$here/AmparoFFI.xcframework"
sh "$here/scripts/sources.sh"
