//! What happens to checkpoints between processes that start, stop, crash and race, and in stores that fail.

mod claims;
mod crashes;
mod damage;
mod deletion;
mod local;
mod recovery;
mod requests;
mod restores;
mod retention;
mod s3;
mod support;
