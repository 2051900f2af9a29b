// swift-tools-version: 6.0
// Amparo for Swift. Run scripts/sources.sh (or scripts/xcframework.sh for Apple platforms) before the first build:
// the generated files are not kept in the repository.

import Foundation
import PackageDescription

// Generated code is written for language mode 5. The layer above it asks for every concurrency check.
let generated: [SwiftSetting] = [.swiftLanguageMode(.v5)]
let written: [SwiftSetting] = generated + [.enableUpcomingFeature("StrictConcurrency")]

// An app takes the XCFramework. The tests need the library with the feature `testing`, which is in no XCFramework.
let framework = "AmparoFFI.xcframework"
let shipped = Context.environment["AMPARO_TESTING"] == nil
    && FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + framework)
let ffi: Target = shipped
    ? .binaryTarget(name: "AmparoFFI", path: framework)
    : .target(name: "AmparoFFI", linkerSettings: [.linkedLibrary("amparo")])

let package = Package(
    name: "Amparo",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Amparo", targets: ["Amparo"])],
    targets: [
        ffi,
        .target(name: "AmparoWipe"),
        .target(name: "AmparoCore", dependencies: ["AmparoFFI"], swiftSettings: generated),
        .target(name: "Amparo", dependencies: ["AmparoCore", "AmparoWipe"], swiftSettings: written),
        .target(name: "ScreeningExample", dependencies: ["Amparo"], path: "Example", swiftSettings: written),
        .testTarget(name: "AmparoTests", dependencies: ["Amparo", "ScreeningExample"], swiftSettings: generated),
    ]
)
