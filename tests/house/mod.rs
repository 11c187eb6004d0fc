//! The rules of the house, held against its own files: who may import whom, where foreign types stop, what a file looks
//! like, that the formatter sees it, and that the README is true.

mod borders;
mod circles;
mod deploy;
mod files;
mod formatted;
mod imports;
mod modules;
pub(crate) mod readme;
mod source;
