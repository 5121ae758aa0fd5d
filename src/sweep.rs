//! `sweep`: many runs of one process or of several machines, and what they say of the settings that vary.
//!
//! A sweep's folder holds its plan (`sweep.json`), a folder for each run, and the results. The plan lists all
//! runs; a killed sweep continues with those that have no result yet.

mod existing;
mod failures;
mod feed;
mod folder;
mod follower;
mod lines;
mod plan;
mod points;
mod pool;
mod progress;
mod row;
mod run;
mod setting;
mod shard;
mod statistics;
mod summary;
mod supervisor;

pub use folder::{FolderError, Results, Stored, SweepFolder};
pub use follower::{End, Follower};
pub use plan::{Plan, Planned, Request};
pub use row::{Row, State};
pub use run::{Machine, check_shard, collect, run};
pub use setting::{Number, Setting, Values, key_and_values};
pub use shard::Shard;
pub use summary::Summary;
