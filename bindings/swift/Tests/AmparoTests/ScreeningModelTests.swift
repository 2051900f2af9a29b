import Amparo
import ScreeningExample
import XCTest

/// The example's view-model, without a screen.
final class ScreeningModelTests: XCTestCase {
    func testOneScreening() async throws {
        let device = AmparoDevice(try Kit.device(self))
        let model = await ScreeningModel(device)
        var state = await model.state
        XCTAssertEqual(state.screen, .blank)
        await model.start(checklist: "ilo-adult-labour", place: Kit.place, lang: "es")
        state = await model.state
        XCTAssertFalse(state.canGoBack)
        var sawGate = false
        walk: for _ in 0..<700 {
            XCTAssertNil(state.problem)
            XCTAssertFalse(state.isBusy)
            switch state.screen {
            case .question(let question):
                await model.answer(Kit.answer(question))
            case .gate(let checks):
                sawGate = true
                await model.gate(confirmed: checks.map { $0.id }, talk: true, store: true)
            case .blank, .end:
                break walk
            }
            state = await model.state
        }
        XCTAssertTrue(sawGate)
        await model.finish()
        state = await model.state
        guard case .end(let outcome, let steps, let contacts) = state.screen else { return XCTFail("no end") }
        XCTAssertTrue(outcome.recorded)
        XCTAssertTrue(outcome.classes.contains { $0.outcome == .presumed })
        XCTAssertFalse(steps.isEmpty)
        XCTAssertFalse(contacts?.offers.isEmpty ?? true)
    }

    func testBackAndARefusal() async throws {
        let device = AmparoDevice(try Kit.device(self))
        let model = await ScreeningModel(device)
        await model.start(checklist: "no-such-checklist", place: Kit.place, lang: "es")
        var state = await model.state
        XCTAssertNotNil(state.problem)
        XCTAssertEqual(state.screen, .blank)
        await model.start(checklist: "ilo-adult-labour", place: Kit.place, lang: "es")
        let first = await model.state
        XCTAssertNil(first.problem)
        await model.skip(.notObservable)
        state = await model.state
        XCTAssertNotEqual(state.screen, first.screen)
        XCTAssertTrue(state.canGoBack)
        await model.back()
        state = await model.state
        guard case .question(let question) = state.screen else { return XCTFail("no question") }
        XCTAssertEqual(question.answer, .unknown(why: .notObservable))
        let started = await model.id
        let id = try XCTUnwrap(started)
        let other = await ScreeningModel(device)
        await other.resume(id)
        state = await other.state
        XCTAssertNil(state.problem)
    }
}
