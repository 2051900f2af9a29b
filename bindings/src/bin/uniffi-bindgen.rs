//! Generates the Kotlin, Swift and Python files from the built library: `cargo xtask bindings`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
