//! What the service must survive.

mod acceptance_path;
