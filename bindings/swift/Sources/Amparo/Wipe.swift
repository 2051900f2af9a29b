import AmparoWipe
import Foundation

extension Data {
    /// Overwrites the bytes with zeros and keeps their number. Wipes this value only: if another value shares the
    /// bytes, this one gets its own copy first and the other keeps them.
    public mutating func wipe() {
        withUnsafeMutableBytes { amparo_wipe($0.baseAddress, $0.count) }
    }
}
