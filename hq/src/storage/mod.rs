//! What the relay keeps.
