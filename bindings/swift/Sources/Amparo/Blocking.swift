import AmparoCore
import Dispatch

/// Runs blocking calls on threads of their own, never on those of Swift's concurrency: that pool has one thread for
/// each core and must not be blocked.
struct Blocking: Sendable {
    /// Calls on screenings: one after the other, in the order in which they were made.
    private let ordered = DispatchQueue(label: "amparo.screenings", qos: .userInitiated)
    /// All others.
    private let free = DispatchQueue(label: "amparo", qos: .userInitiated, attributes: .concurrent)

    func inTurn<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await Self.run(on: ordered, work)
    }

    func atOnce<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await Self.run(on: free, work)
    }

    private static func run<T: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, Error>) in
            queue.async {
                do {
                    continuation.resume(returning: try work())
                } catch let error as FieldError {
                    continuation.resume(throwing: error)
                } catch {
                    // A fault of the generated code, whose own error type an app cannot name.
                    continuation.resume(throwing: FieldError.Internal(code: "unexpected"))
                }
            }
        }
    }
}
