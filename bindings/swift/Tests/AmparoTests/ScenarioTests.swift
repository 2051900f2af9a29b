import Amparo
import Foundation
import XCTest

/// Each scenario gives, through Swift, the full result that its golden file holds.
final class ScenarioTests: XCTestCase {
    func testEveryScenario() async throws {
        let files = try Kit.files(in: "tests/scenarios", ending: "json")
        XCTAssertGreaterThanOrEqual(files.count, 10)
        for file in files {
            let name = file.lastPathComponent
            let folder = Kit.newFolder()
            addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
            let golden = try JSON.read(Data(contentsOf: Kit.root.appendingPathComponent("tests/golden/\(name)")))
            let result = try await Scenario(try JSON.read(Data(contentsOf: file)), folder: folder).run()
            if let found = result.difference(from: withoutWhy(golden)) {
                XCTFail("\(name) \(found)")
            }
        }
    }

    private func withoutWhy(_ golden: JSON) -> JSON {
        guard case .fields(var parts) = golden, case .list(let moves)? = parts["moves"] else { return golden }
        parts["moves"] = .list(moves.map { move -> JSON in
            guard case .fields(var fields) = move else { return move }
            fields["why"] = nil
            return JSON.fields(fields)
        })
        return .fields(parts)
    }
}
