//! The carrier, and who watches. Implemented by the shell: nothing here opens a socket.

use super::report::SyncReport;

/// One exchange with headquarters, over whatever carries it.
pub trait Transport {
    /// Sends an upload and gives the replies. Called without any lock or transaction held.
    ///
    /// # Errors
    /// [`TransportError`].
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError>;
}

/// Why an exchange did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Headquarters was not reached.
    #[error("headquarters was not reached")]
    Offline,
    /// Headquarters, or something before it, refused to talk; not to be tried again at once.
    #[error("refused ({code})")]
    Refused {
        /// A code of the carrier, for a log; HTTP's where it is HTTP.
        code: u16,
    },
    /// It broke off. What came until then counts.
    #[error("the exchange broke off")]
    Cut {
        /// The replies as far as they came; empty if none.
        replies: Vec<u8>,
    },
}

/// Who watches a sync and may stop it between exchanges.
pub trait Progress {
    /// Called after each exchange with what was done so far.
    fn exchanged(&self, so_far: &SyncReport) -> Go;
}

/// Nobody watches.
impl Progress for () {
    fn exchanged(&self, _: &SyncReport) -> Go {
        Go::On
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// Stop here; the next sync goes on from here.
    Stop,
}
