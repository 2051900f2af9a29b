//! Content authoring: from the files under `content/` to signed packs.

pub mod build;
pub mod check;
pub mod condition_text;
pub mod directory_table;
pub mod yaml;
pub mod zones;
