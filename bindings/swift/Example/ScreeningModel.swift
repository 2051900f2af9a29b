import Amparo

#if canImport(Combine)
import Combine
#endif

/// One screening as a SwiftUI screen wants it: state to draw, and one method for each thing that a finger does.
/// Knows nothing of UIKit or SwiftUI. On Apple platforms it is an `ObservableObject`:
///
/// ```swift
/// @StateObject var model = ScreeningModel(device)
/// ```
///
/// Copy it into an app and change it: it is an example, not part of the library.
@MainActor
public final class ScreeningModel {
    /// What is drawn.
    public enum Screen: Equatable, Sendable {
        /// Nothing is started.
        case blank
        /// One item: `prompt` for the official, `said` for the person, `kind` says which buttons.
        case question(QuestionView)
        /// The safe-interview gate: what must be true before questions.
        case gate([GateCheckView])
        /// Nothing is left to ask: outcome, steps, contacts.
        case end(OutcomeView, [StepView], ContactsView?)
    }

    /// Everything that changes.
    public struct State: Equatable, Sendable {
        /// What is drawn.
        public var screen: Screen = .blank
        /// How far it has come.
        public var progress: ScreeningProgress?
        /// True where there is something to go back to.
        public var canGoBack = false
        /// True while a call runs: buttons wait.
        public var isBusy = false
        /// The last call did nothing; its code chooses words from the app's own texts.
        public var problem: FieldError?

        public init() {}
    }

    #if canImport(Combine)
    @Published public private(set) var state = State()
    #else
    public private(set) var state = State()
    #endif

    private let device: AmparoDevice
    private var screening: Screening?

    public init(_ device: AmparoDevice) {
        self.device = device
    }

    /// Its id, to keep when the app is put away, for `resume`.
    public var id: ScreeningId? { screening?.id }

    /// Starts a screening.
    public func start(checklist: Name, place: PlaceRequest, lang: Lang) async {
        await attempt {
            let request = StartRequest(checklist: checklist, place: place, lang: lang)
            self.screening = try await self.device.start(request)
        }
    }

    /// Goes on with a screening of before.
    public func resume(_ id: ScreeningId) async {
        await attempt { self.screening = try await self.device.screening(id) }
    }

    /// Answers the item that is drawn.
    public func answer(_ answer: AnswerValue) async {
        guard case .question(let question) = state.screen else { return }
        await attempt { try await self.screening?.answer(question.item, answer) }
    }

    /// Skips the item that is drawn. Unknown is never no: why is recorded.
    public func skip(_ why: UnknownReason) async {
        await answer(.unknown(why: why))
    }

    /// Goes back by one item.
    public func back() async {
        await attempt { try await self.screening?.back() }
    }

    /// The official has confirmed these checks, and the person was asked to talk and to store. A missing check
    /// postpones: the gate stays and names it.
    public func gate(confirmed: [Name], talk: Bool, store: Bool) async {
        await attempt {
            guard let screening = self.screening else { return }
            let view = try await screening.gate(confirmed: confirmed)
            guard view.gatePassed else { return }
            let asked: [(ConsentPurpose, Bool)] = talk ? [(.talk, true), (.store, store)] : [(.talk, false)]
            for (purpose, agrees) in asked {
                let request = ConsentRequest(purpose: purpose, lang: view.saidLang, by: .person)
                if agrees {
                    try await screening.consent(request)
                } else {
                    try await screening.refuseConsent(request)
                }
            }
            if !talk { try await screening.stop(.personStopped) }
        }
    }

    /// Stops the talk. What is known stays.
    public func stop(_ reason: StopReason) async {
        await attempt { try await self.screening?.stop(reason) }
    }

    /// At the end: records the outcome, from which deadlines count, and looks for who takes this person.
    public func finish() async {
        await attempt {
            try await self.screening?.recordOutcome()
            try await self.screening?.contacts()
        }
    }

    private func attempt(_ work: () async throws -> Void) async {
        guard !state.isBusy else { return }
        state.isBusy = true
        state.problem = nil
        do {
            try await work()
        } catch let error as FieldError {
            state.problem = error
        } catch {
            state.problem = .Internal(code: "unexpected")
        }
        draw()
        state.isBusy = false
    }

    private func draw() {
        guard let view = screening?.view else { return }
        state.progress = view.progress
        state.canGoBack = view.previous != nil
        switch view.next {
        case .ask(let question): state.screen = .question(question)
        case .gate: state.screen = .gate(view.gateChecks)
        case .end: state.screen = .end(view.outcome, view.steps, view.contacts)
        }
    }
}

#if canImport(Combine)
extension ScreeningModel: ObservableObject {}
#endif
