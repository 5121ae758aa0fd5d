//! What is measured during training, kept in bounded memory.

pub mod confusion;
pub mod rate;
pub mod series;

pub use confusion::Confusion;
pub use rate::Rate;
pub use series::{Bucket, Series, Smoother};
