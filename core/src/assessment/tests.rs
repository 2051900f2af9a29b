mod completions;
mod explanation;
mod ilo;
mod transit;
