/// Stub.
#[derive(Clone, Debug, Default)]
pub struct Rules;
