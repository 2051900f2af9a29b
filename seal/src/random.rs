//! Randomness as an argument.

/// A source of random bytes. In production the operating system's; in tests a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`NoEntropy`] when the host has none to give; nothing is then to be made from the buffer.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The host could give no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host gives no randomness")]
pub struct NoEntropy;

/// `N` random bytes.
///
/// # Errors
/// [`NoEntropy`] from the source.
pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut out = [0; N];
    entropy.fill(&mut out)?;
    Ok(out)
}

/// A reproducible source for tests and scenarios: SHA-256 of a seed and a counter. Not for production.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: std::sync::atomic::AtomicU64,
}

impl SeededEntropy {
    /// Starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: std::sync::atomic::AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in buffer.chunks_mut(32) {
            let n = self.counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let block = amparo_schema::id::Hash::of(
                "amparo-seeded-entropy",
                &[&self.seed.to_be_bytes(), &n.to_be_bytes()],
            );
            chunk.iter_mut().zip(block.0).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}
