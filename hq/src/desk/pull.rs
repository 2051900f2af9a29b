//! Reading a feed to its end.
//!
//! Owns from where to ask next and when to stop. After headquarters went back in time its feed is read from
//! the start and compared, so the place to ask from lies before the place to which the desk has read: it is
//! held here and not looked up. Never speaks to a network; whoever calls fetches each page. Never asks twice
//! from one place in a row, and never for ever.

use amparo_schema::wire::feed::{Cursor, FeedId, Page};

use super::{Desk, DeskError, Taken};

/// Pages of one feed in one pull.
const PAGES_MAX: usize = 10_000;

/// What reading feeds brought, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Segments that were new.
    pub segments: u64,
    /// Segments that were here already.
    pub repeated: u64,
    /// Withdrawals.
    pub withdrawn: u64,
    /// Entries set aside.
    pub aside: u64,
    /// Of these, entries that were not kept, because there is no more room for such of their device.
    pub lost: u64,
    /// Headquarters lost entries, or tells another history than before.
    pub went_back: bool,
}

impl Pulled {
    fn add(&mut self, taken: &Taken) {
        self.segments = self.segments.saturating_add(taken.segments);
        self.repeated = self.repeated.saturating_add(taken.repeated);
        self.withdrawn = self.withdrawn.saturating_add(taken.withdrawn);
        self.aside = self.aside.saturating_add(taken.aside);
        self.lost = self.lost.saturating_add(taken.lost);
        self.went_back |= taken.behind || taken.forked_at.is_some();
    }
}

impl Desk {
    /// Reads one feed to its end; `ask` fetches the page after a cursor. The last page is empty: asking for it
    /// acknowledged the one before. What came is added to `pulled` as it comes, also before a failure.
    ///
    /// # Errors
    /// [`DeskError::OtherFeed`], [`DeskError::NoEnd`], those of [`Desk::take`], and those of `ask`. What was
    /// taken until then stays taken.
    pub fn pull<E: From<DeskError>>(
        &mut self,
        feed: FeedId,
        now_ms: i64,
        mut ask: impl FnMut(Cursor) -> Result<Page, E>,
        pulled: &mut Pulled,
    ) -> Result<(), E> {
        let cursors = self.cursors()?;
        let mut cursor = cursors.into_iter().find(|c| c.feed == feed).ok_or(DeskError::OtherFeed)?;
        for asked in 0..PAGES_MAX {
            let page = ask(cursor)?;
            if page.from.feed != feed {
                return Err(DeskError::OtherFeed.into());
            }
            let taken = self.take(&page, now_ms)?;
            pulled.add(&taken);
            if page.entries.is_empty() && !taken.more {
                return Ok(());
            }
            // The first answer alone may begin before what was asked for.
            let onward = asked == 0 || taken.next.read > cursor.read;
            if page.entries.is_empty() || taken.gap || taken.unlinked || !onward {
                return Err(DeskError::NoEnd.into());
            }
            cursor = taken.next;
        }
        Err(DeskError::NoEnd.into())
    }
}
