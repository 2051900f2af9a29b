//! Enums of sync. Repeated from where they are defined; the compiler compares.

pub use amparo_core::device::Level as SyncLevel;
pub use amparo_core::sync::Why as AsideReason;
pub use amparo_schema::wire::push::Refusal as FrameRefusal;

/// How far a screening is on its way to headquarters. Each includes those before it.
#[uniffi::remote(Enum)]
pub enum SyncLevel {
    /// Not closed yet.
    Open,
    /// Sealed on this device.
    Sealed,
    /// Sent; nothing is known of it.
    Sent,
    /// Headquarters wrote it down.
    Stored,
    /// It survives the loss of any one machine of headquarters.
    Durable,
    /// Every recipient that was granted something of it has it.
    Delivered,
    /// An agency answered a referral of it.
    Answered,
}

/// Why something from headquarters was kept aside, or passed over, instead of being applied.
#[uniffi::remote(Enum)]
pub enum AsideReason {
    /// Of a kind that this version does not know, or not in its one form.
    Unknown,
    /// Its signature does not hold.
    Signature,
    /// For another device.
    OtherDevice,
    /// A letter of a key that no agency has; tried again when new content came.
    Stranger,
    /// A letter that does not open, or speaks in another agency's name.
    Letter,
    /// A pack that does not verify, or cannot be used.
    Pack,
    /// A receipt that contradicts itself.
    Malformed,
    /// A receipt of the same epoch whose counts fell.
    Fallen,
    /// A receipt for more than this store ever sealed: the store went back in time.
    Ahead,
    /// A receipt for another chain: the store was copied, and both copies sealed.
    Fork,
}

/// Why headquarters did not take a segment or a disclosure as it should be.
#[uniffi::remote(Enum)]
pub enum FrameRefusal {
    /// It is not in its one form.
    Form,
    /// Its signature does not hold.
    Signature,
    /// This device is not enrolled there.
    Stranger,
    /// Another one with this number is there.
    Fork,
    /// This device was revoked.
    Revoked,
    /// Of a newer version than headquarters knows.
    Newer,
    /// Past a limit.
    TooLarge,
    /// There is no room to keep more aside for this device.
    Full,
}
