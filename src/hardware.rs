//! The machine that a run trains on: what it has, and what it is doing.
//!
//! Everything here is optional: a system that has no `/proc`, a driver that does not know a figure or a
//! virtual machine without clocks gives `None`, never zero.

pub mod limits;
mod machine;
mod monitor;
pub mod nvml;
pub mod nvrtc;
pub mod pci;
mod proc;
pub mod processor;

use serde::{Deserialize, Serialize};

pub use machine::Machine;
pub use monitor::Monitor;
pub use proc::CpuMeter;

/// Figures of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The processors and the main memory.
    pub cpu: CpuReading,
    /// The GPU that the run trains on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuReading>,
}

/// Figures of the processors and the main memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuReading {
    /// Processors that this program has kept busy since the reading before: 1.5 is one and a half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<f32>,
    /// Processors that all programs have kept busy since the reading before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<f32>,
    /// Processors of the machine, hyper-threads counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// Main memory that this program occupies, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident: Option<u64>,
    /// Main memory in use by all programs, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used: Option<u64>,
    /// Main memory of the machine, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total: Option<u64>,
    /// Clock of the fastest processor, in MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<u32>,
}

/// Figures of a GPU, or of the part of one that a MIG device is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GpuReading {
    /// Percentage of the last sample period in which a kernel was running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<u32>,
    /// Memory in use by all programs, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used: Option<u64>,
    /// Its memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total: Option<u64>,
    /// Temperature of the chip, in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<u32>,
    /// Power drawn by the card, in W.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<f32>,
    /// Power at which the card lowers its clocks, in W.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_limit: Option<f32>,
    /// Clock of the multiprocessors, in MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<u32>,
    /// The highest clock of the multiprocessors, in MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_limit: Option<u32>,
    /// Why the clock is below its highest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throttled: Vec<Throttle>,
    /// Programs that use it, this one included if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// Energy used since the first reading, in J; in the events of a run, while it trained or evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<f64>,
}

/// Why a GPU's clock is below its highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Throttle {
    /// It draws as much power as it may.
    Power,
    /// It, or its memory, is as hot as it may be.
    Temperature,
    /// Its hardware has cut the clock by half or more, as it does when it is too hot or draws too much.
    Hardware,
    /// The machine's power supply has asked for it.
    PowerBrake,
    /// Other cards of its group run no faster.
    SyncBoost,
    /// An administrator has set a lower clock.
    Setting,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl Throttle {
    /// What limits the clock, for a sentence: `power limit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power limit",
            Self::Temperature => "temperature",
            Self::Hardware => "hardware slowdown",
            Self::PowerBrake => "power supply",
            Self::SyncBoost => "sync boost",
            Self::Setting => "clock setting",
            Self::Other => "unknown",
        }
    }

    /// What mends it; `None` where nothing is wrong, as when a busy GPU draws all the power it may.
    pub fn remedy(self) -> Option<&'static str> {
        match self {
            Self::Temperature => Some("check the machine's cooling"),
            Self::Hardware => Some("check the card's cooling and its power cables"),
            Self::PowerBrake => Some("check the machine's power supply"),
            Self::Power | Self::SyncBoost | Self::Setting | Self::Other => None,
        }
    }
}

/// Gives figures of the machine, one reading after another.
pub trait Source: Send {
    /// The figures now; shares are those of the time since the reading before.
    fn read(&mut self) -> Reading;
}
