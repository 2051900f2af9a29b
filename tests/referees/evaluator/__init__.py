"""A second evaluator of assessments, written from the documents and never from the Rust."""
