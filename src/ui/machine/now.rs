//! The machine's figures of the moment, in columns that do not move.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use crate::{
    app::App,
    hardware::{CpuReading, GpuReading, Reading},
    printable::bytes,
    ui::{format, pane, theme::Theme},
};

/// Rows that the chart above keeps in the overview.
const ABOVE: u16 = 10;

/// The figures of the moment.
#[derive(Debug)]
pub(in crate::ui) struct Now<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Rows of the pane; none without figures.
pub(super) fn rows(app: &App) -> u16 {
    match app.machine.as_deref() {
        None => 0,
        Some(Reading { gpu: None, .. }) => 3,
        Some(Reading { gpu: Some(gpu), .. }) => 5 + u16::from(!gpu.throttled.is_empty()),
    }
}

/// Parts an area of the overview into one for what it shows otherwise and one for this pane, if there is room
/// for both.
pub(in crate::ui) fn below(app: &App, area: Rect) -> Option<(Rect, Rect)> {
    let is_known = app.machine.as_deref().is_some_and(|reading| *reading != Reading::default());
    let rows = rows(app);
    let rest = area.height.checked_sub(rows).filter(|&rest| is_known && rest >= ABOVE)?;
    let above = Rect { height: rest, ..area };
    Some((above, Rect { y: area.y + rest, height: rows, ..area }))
}

impl<'a> Now<'a> {
    pub(in crate::ui) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// A row with the parts that there is room for.
    fn line(&self, name: &str, parts: [Option<String>; 3], width: u16) -> Line<'static> {
        let mut line = Line::from(Span::styled(format!("{name:<8}"), self.theme.muted));
        for part in parts.into_iter().flatten() {
            let gap = if line.spans.len() > 1 { " · " } else { "" };
            if line.width() + gap.chars().count() + part.chars().count() > usize::from(width) {
                break;
            }
            line.push_span(Span::styled(gap, self.theme.muted));
            line.push_span(Span::raw(part));
        }
        line
    }

    fn cpu(&self, cpu: &CpuReading, width: u16) -> [Line<'static>; 2] {
        let of = cpu.processors.map_or_else(String::new, |count| format!(" of {count}"));
        let busy = cpu.program.map(|busy| format!("{busy:>4.1}{of} processors busy"));
        let others = cpu.machine.map(|busy| format!("{busy:>4.1} in all"));
        let clock = cpu.clock.map(|mhz| format!("{:.2} GHz", f64::from(mhz) / 1e3));
        let own = cpu.resident.map(|size| format!("{:>8} for this run", bytes(size)));
        let all = cpu
            .memory_used
            .zip(cpu.memory_total)
            .map(|(used, total)| format!("{:>8} of {} in all", bytes(used), bytes(total)));
        [
            self.line("CPU", [busy, others, clock], width),
            self.line("memory", [own, all, None], width),
        ]
    }

    fn gpu(&self, gpu: &GpuReading, width: u16) -> Vec<Line<'static>> {
        let of =
            |limit: Option<String>| limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        let mhz = |mhz: u32| format::thousands(mhz.into());
        let busy = gpu.utilization.map(|percent| format!("{percent:>3} % busy"));
        let power = gpu.power.map(|power| {
            format!("{power:>4.0}{} W", of(gpu.power_limit.map(|limit| format!("{limit:.0}"))))
        });
        let heat = gpu.temperature.map(|degrees| format!("{degrees:>3} °C"));
        let memory = gpu
            .memory_used
            .map(|used| format!("{:>8}{}", bytes(used), of(gpu.memory_total.map(bytes))));
        let clock =
            gpu.clock.map(|clock| format!("{:>5}{} MHz", mhz(clock), of(gpu.clock_limit.map(mhz))));
        let others = gpu.processes.filter(|&count| count > 1).map(|count| match count - 1 {
            1 => "another program".to_owned(),
            others => format!("{others} other programs"),
        });
        let mut lines = vec![
            self.line("GPU", [busy, power, heat], width),
            self.line("", [memory, clock, others], width),
        ];
        if !gpu.throttled.is_empty() {
            let reasons: Vec<&str> = gpu.throttled.iter().map(|reason| reason.name()).collect();
            let text = format!("clock limited by {}", reasons.join(", "));
            lines.push(Line::from(vec![
                Span::raw(" ".repeat(8)),
                Span::styled(text, self.theme.accent),
            ]));
        }
        lines
    }
}

impl Widget for &Now<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(Reading { cpu, gpu }) = self.app.machine.as_deref() else { return };
        let name = self.app.run.info.as_ref().filter(|_| gpu.is_some());
        let name = name.map_or_else(Line::default, |info| {
            Line::styled(crate::printable::printable(&info.device), self.theme.muted)
        });
        let inner = pane::titled(area, buf, self.theme, "Machine", [name]);
        let gpu = gpu.as_ref().map(|gpu| self.gpu(gpu, inner.width));
        let lines = gpu.into_iter().flatten().chain(self.cpu(cpu, inner.width));
        for (line, row) in lines.zip(inner.rows()) {
            line.render(row, buf);
        }
    }
}
