//! The rules of the house, held against its own files: who may import whom, where foreign types stop, what a file looks
//! like, and that the README is true.

mod borders;
mod files;
mod imports;
pub(crate) mod readme;
mod source;
