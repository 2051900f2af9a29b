#if canImport(CryptoKit) && canImport(Security)
import AmparoCore
import CryptoKit
import Foundation
import Security

/// Wraps the store key with a key that stays in this phone's keychain and can be read only while the phone is
/// unlocked. It is in no backup and moves to no other phone.
///
/// Never run by the tests: a keychain needs an app. What the keychain itself hands out cannot be overwritten. An app
/// with a stricter rule (Secure Enclave, biometry) writes its own `KeyStore`.
public final class KeychainKeyStore: KeyStore {
    private let service: String

    /// One wrapping key for each `service`, such as the bundle identifier of the app.
    public init(service: String) {
        self.service = service
    }

    public func wrap(plain: Data) throws -> Data {
        let key = try found() ?? made()
        guard let sealed = try AES.GCM.seal(plain, using: key).combined else {
            throw FieldError.Host(code: "keychain-seal")
        }
        return sealed
    }

    public func unwrap(wrapped: Data) throws -> Data {
        guard let key = try found() else { throw FieldError.KeyLost }
        do {
            return try AES.GCM.open(AES.GCM.SealedBox(combined: wrapped), using: key)
        } catch {
            // Sealed by a key that is gone.
            throw FieldError.KeyLost
        }
    }

    private var place: [CFString: Any] {
        [
            kSecClass: kSecClassGenericPassword,
            kSecAttrService: service,
            kSecAttrAccount: "amparo-wrapping-key",
            kSecUseDataProtectionKeychain: true,
        ]
    }

    private func found() throws -> SymmetricKey? {
        var query = place
        query[kSecReturnData] = true
        var item: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &item)
        if status == errSecItemNotFound { return nil }
        try Self.check(status)
        guard let bytes = item as? Data else { throw FieldError.Host(code: "keychain-form") }
        return SymmetricKey(data: bytes)
    }

    private func made() throws -> SymmetricKey {
        let key = SymmetricKey(size: .bits256)
        var item = place
        item[kSecAttrAccessible] = kSecAttrAccessibleWhenUnlockedThisDeviceOnly
        item[kSecValueData] = key.withUnsafeBytes { Data($0) }
        try Self.check(SecItemAdd(item as CFDictionary, nil))
        return key
    }

    private static func check(_ status: OSStatus) throws {
        switch status {
        case errSecSuccess: return
        case errSecInteractionNotAllowed, errSecAuthFailed, errSecUserCanceled: throw FieldError.NeedsUser
        default: throw FieldError.Host(code: "keychain \(status)")
        }
    }
}
#endif
