import AmparoCore
import AmparoWipe
import Foundation

/// The 32 bytes that open a store, in memory of their own that is overwritten.
///
/// Whatever takes a key (`AmparoDevice.create`, `open`, `unlock`) wipes it, whether it succeeds or throws. An app
/// that lets its keystore unwrap the key never needs one.
public final class StoreKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    private let turn = NSLock()
    private let bytes: UnsafeMutableRawBufferPointer
    private var wiped = false

    /// Takes the bytes over and overwrites the value that they came in. A wrong length is refused by the call that
    /// uses the key, as `FieldError.InvalidInput`.
    public init(taking data: inout Data) {
        let own = UnsafeMutableRawBufferPointer.allocate(byteCount: data.count, alignment: 1)
        data.withUnsafeBytes { own.copyMemory(from: $0) }
        data.wipe()
        bytes = own
    }

    deinit {
        wipe()
        bytes.deallocate()
    }

    /// True once the bytes are gone.
    public var isWiped: Bool {
        turn.lock()
        defer { turn.unlock() }
        return wiped
    }

    /// Overwrites the bytes. Twice is no error.
    public func wipe() {
        turn.lock()
        defer { turn.unlock() }
        amparo_wipe(bytes.baseAddress, bytes.count)
        wiped = true
    }

    /// Never the bytes.
    public var description: String { "StoreKey" }

    /// Never the bytes.
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

    /// The bytes, not copied; they must not leave `work`.
    func lend<T>(_ work: (Data) throws -> T) throws -> T {
        turn.lock()
        defer { turn.unlock() }
        guard !wiped, let start = bytes.baseAddress else {
            throw FieldError.InvalidInput(field: "key", code: "wiped")
        }
        return try work(Data(bytesNoCopy: start, count: bytes.count, deallocator: .none))
    }
}
