import Amparo
import Foundation
import XCTest

/// The async layer: open, create, screen, look up, lock, and the stream of views.
final class DeviceTests: XCTestCase {
    func testCreateOpenAndWipe() async throws {
        let folder = Kit.newFolder()
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        let request = try Kit.request(folder)
        let first = Kit.key()
        let device = try await AmparoDevice.create(request, key: first)
        XCTAssertTrue(first.isWiped)
        try await device.lock()
        XCTAssertTrue(device.isLocked)
        await assertFails(.WrongState(code: "locked")) { _ = try await device.packs(lang: "es") }
        try await device.unlock(key: Kit.key())
        let whole = try await device.verify().whole
        XCTAssertTrue(whole)
        try await device.lock()
        let again = try await AmparoDevice.open(request, key: Kit.key())
        XCTAssertFalse(again.isLocked)
        await assertFails(.InvalidInput(field: "key", code: "wiped")) {
            _ = try await AmparoDevice.open(request, key: first)
        }
        try await again.lock()
        var other = Data(repeating: 9, count: 32)
        let wrong = StoreKey(taking: &other)
        XCTAssertEqual(other, Data(repeating: 0, count: 32))
        await assertFails(.WrongKey) { _ = try await AmparoDevice.open(request, key: wrong) }
        XCTAssertTrue(wrong.isWiped)
    }

    func testKeystore() async throws {
        let folder = Kit.newFolder()
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        let request = try Kit.request(folder)
        let device = try await AmparoDevice.open(request, keystore: TurningKeyStore())
        try await device.lock()
        try await device.unlock(keystore: TurningKeyStore())
        try await device.lock()
        let failures: [(Error, FieldError?)] = [
            (FieldError.KeyLost, .KeyLost), (FieldError.NeedsUser, .NeedsUser), (TalkativeError(), nil),
        ]
        for (thrown, typed) in failures {
            do {
                try await device.unlock(keystore: TurningKeyStore(failure: thrown))
                XCTFail("unlocked")
            } catch {
                assertClean(error)
                if let typed {
                    XCTAssertEqual(error as? FieldError, typed)
                } else if case .Host? = error as? FieldError {
                } else {
                    XCTFail("not the host's failure")
                }
            }
        }
        try await device.unlock(keystore: TurningKeyStore())
        XCTAssertFalse(device.isLocked)
    }

    func testScreeningAndItsStream() async throws {
        let device = AmparoDevice(try Kit.device(self))
        let screening = try await device.start(Kit.start())
        var reader = screening.views.makeAsyncIterator()
        let first = await reader.next()
        XCTAssertEqual(first, screening.view)
        guard case .ask(let question) = screening.view.next else { return XCTFail("no question") }
        let view = try await screening.answer(question.item, .unknown(why: .notObservable))
        XCTAssertEqual(view.previous, question.item)
        let second = await reader.next()
        XCTAssertEqual(second, view)
        let back = try await screening.back()
        guard case .ask(let same) = back.next else { return XCTFail("no question") }
        XCTAssertEqual(same.item, question.item)
        XCTAssertEqual(same.answer, .unknown(why: .notObservable))
        let refreshed = try await screening.refresh()
        XCTAssertEqual(refreshed, view)
        // A refusal changes nothing.
        await assertFails { _ = try await screening.answer("no-such-item", .yes) }
        XCTAssertEqual(screening.view, view)
        XCTAssertFalse("\(screening)".contains(view.line.memorable))
        let page = try await device.screenings()
        XCTAssertEqual(page.total, 1)
    }

    func testTheStreamEndsWithItsScreening() async throws {
        let device = AmparoDevice(try Kit.device(self))
        var screening: Screening? = try await device.start(Kit.start())
        let views = screening?.views
        screening = nil
        var count = 0
        if let views {
            for await _ in views { count += 1 }
        }
        XCTAssertLessThanOrEqual(count, 1)
    }

    func testLookupNeedsNoScreening() async throws {
        let device = AmparoDevice(try Kit.device(self))
        let found = try await device.lookup("trata", country: "CL", lang: "es", most: 5)
        XCTAssertTrue((1...5).contains(found.services.count))
        XCTAssertTrue(found.services.allSatisfy { $0.country == "CL" })
        let none = try await device.lookup("", country: nil, lang: "es", most: 0)
        XCTAssertTrue(none.services.isEmpty)
    }

    func testCancelledInstall() async throws {
        let folder = Kit.newFolder()
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        let device = try await AmparoDevice.create(try Kit.request(folder), key: Kit.key())
        let packs = try Kit.packs()
        let install = Task { try await device.installPacks(packs, progress: { done, _ in if done == 1 { sleep(1) } }) }
        try await Task.sleep(nanoseconds: 200_000_000)
        install.cancel()
        let result = await install.result
        if case .failure(let error) = result {
            XCTAssertEqual(error as? FieldError, .Interrupted)
        } else {
            XCTFail("went on")
        }
        let all = try await device.installPacks(packs)
        XCTAssertEqual(all.count, packs.count)
        let whole = try await device.verify().whole
        XCTAssertTrue(whole)
    }

    func testManyTasks() async throws {
        let device = AmparoDevice(try Kit.device(self))
        try await withThrowingTaskGroup(of: ScreeningId.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let screening = try await device.start(Kit.start())
                    for _ in 0..<5 {
                        guard case .ask(let question) = screening.view.next else { break }
                        let view = try await screening.answer(question.item, .unknown(why: .notObservable))
                        XCTAssertEqual(view.previous, question.item)
                    }
                    return screening.id
                }
            }
            var ids = Set<ScreeningId>()
            for try await id in group { ids.insert(id) }
            XCTAssertEqual(ids.count, 16)
        }
        let whole = try await device.verify().whole
        XCTAssertTrue(whole)
    }

    private func assertFails(
        _ expected: FieldError? = nil, line: UInt = #line, _ work: () async throws -> Void
    ) async {
        do {
            try await work()
            XCTFail("did not fail", line: line)
        } catch {
            assertClean(error, line: line)
            if let expected { XCTAssertEqual(error as? FieldError, expected, line: line) }
        }
    }
}
