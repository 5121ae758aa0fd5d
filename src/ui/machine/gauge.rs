//! How figures of the machine are written.

use ratatui::style::Style;

use crate::{
    app::curves::Gauge,
    ui::{format, theme::Theme},
};

/// The title of its chart, with the unit of the axis.
pub(super) fn title(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::Power => "GPU power, W",
        Gauge::Utilization => "GPU busy, %",
        Gauge::Temperature => "GPU temperature, °C",
        Gauge::GpuMemory => "GPU memory in use, GiB",
        Gauge::GpuClock => "GPU clock, MHz",
        Gauge::Program => "Processors busy with this program",
        Gauge::Machine => "Processors busy with all programs",
        Gauge::Resident => "Memory of this program, MiB",
        Gauge::CpuClock => "Clock of the fastest processor, MHz",
    }
}

pub(super) fn style(gauge: Gauge, theme: &Theme) -> Style {
    match gauge {
        Gauge::Power | Gauge::Program => theme.accent,
        Gauge::Utilization | Gauge::Machine => theme.smooth,
        _ => theme.evaluation,
    }
}

/// A value without its unit, in at most six characters.
pub(super) fn number(gauge: Gauge, value: f64) -> String {
    match gauge {
        Gauge::Power | Gauge::Utilization | Gauge::Temperature => format!("{value:.0}"),
        Gauge::GpuClock | Gauge::CpuClock | Gauge::Resident => {
            format::thousands(value.max(0.0).round() as u64)
        }
        Gauge::GpuMemory if value < 9.995 => format!("{value:.2}"),
        Gauge::GpuMemory | Gauge::Program | Gauge::Machine => format!("{value:.1}"),
    }
}

/// A value with its unit.
pub(super) fn text(gauge: Gauge, value: f64) -> String {
    let unit = match gauge {
        Gauge::Power => "W",
        Gauge::Utilization => "%",
        Gauge::Temperature => "°C",
        Gauge::GpuMemory => "GiB GPU memory",
        Gauge::Program => "processors busy",
        Gauge::Machine => "busy with all programs",
        Gauge::Resident => "MiB memory",
        Gauge::GpuClock | Gauge::CpuClock => "MHz",
    };
    format!("{} {unit}", number(gauge, value))
}

/// Energy as `812 J`, `4.2 kJ` or `1.3 MJ`.
pub(super) fn energy(joules: f64) -> String {
    match joules {
        j if j < 999.5 => format!("{j:.0} J"),
        j if j < 999_950.0 => format!("{:.1} kJ", j / 1e3),
        j => format!("{:.1} MJ", j / 1e6),
    }
}
