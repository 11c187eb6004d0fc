//! placeholder
/// Placeholder.
#[derive(Debug, Clone)]
pub struct ReturnUrls;
impl ReturnUrls {
    /// Placeholder.
    pub fn allows(&self, _url: &str) -> bool {
        true
    }
}
