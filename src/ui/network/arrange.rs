//! The arrangement of a stage's grids side by side.

use crate::ui::cells::Form;

/// Grids of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grids {
    /// How many.
    pub(super) count: u16,
    /// Rows and columns of values in each.
    pub(super) height: u16,
    pub(super) width: u16,
    /// Grids that belong together: a row has whole groups where it has room for one.
    pub(super) group: u16,
    /// Forms that suit them, best first.
    pub(super) forms: &'static [Form],
}

/// Grids side by side, each with a caption above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrangement {
    pub(super) form: Form,
    /// Grids in a row.
    pub(super) columns: u16,
    /// Columns and rows that all of them take.
    pub(super) size: (u16, u16),
}

impl Grids {
    /// Columns and rows of one, with its caption and without gaps.
    fn one(self, form: Form) -> (u16, u16) {
        let (width, height) = form.size(self.height, self.width);
        (width, height.saturating_add(1))
    }

    fn arrangement(self, form: Form, columns: u16) -> Arrangement {
        let (width, height) = self.one(form);
        let rows = self.count.div_ceil(columns);
        let width = columns.saturating_mul(width.saturating_add(1)).saturating_sub(1);
        Arrangement { form, columns, size: (width, rows.saturating_mul(height)) }
    }

    /// Grids that fit in a row of this width.
    fn most(self, form: Form, width: u16) -> u16 {
        (width.saturating_add(1) / self.one(form).0.saturating_add(1)).min(self.count)
    }

    /// The best form in which all fit, in rows as long as there is room for.
    pub(super) fn fitting(self, width: u16, height: u16) -> Option<Arrangement> {
        self.forms.iter().find_map(|&form| {
            let all = (1..=self.most(form, width)).rev();
            let ways = all.map(|columns| self.arrangement(form, columns));
            let fits = |way: &Arrangement| way.size.1 <= height;
            // Rows of equal length look better than long ones.
            let is_even = |way: &Arrangement| {
                self.count.is_multiple_of(way.columns) && way.columns.is_multiple_of(self.group)
            };
            let even = ways.clone().filter(is_even).find(fits);
            even.or_else(|| ways.clone().next().filter(fits))
        })
    }

    /// The best form in which all fit, otherwise the last one in as many columns as fit; `None` where
    /// not even one does.
    pub(super) fn arrange(self, width: u16, height: u16) -> Option<Arrangement> {
        self.fitting(width, height).or_else(|| {
            let form = *self.forms.last()?;
            let most = self.most(form, width);
            let columns = if most < self.group { most } else { most / self.group * self.group };
            (columns > 0).then(|| self.arrangement(form, columns))
        })
    }

    /// The fewest columns in which all fit in this form, in rows of equal length and whole groups.
    pub(super) fn narrowest(self, form: Form, width: u16, height: u16) -> Option<Arrangement> {
        let is_even = |columns: &u16| {
            self.count.is_multiple_of(*columns) && columns.is_multiple_of(self.group)
        };
        let even = (1..=self.most(form, width)).filter(is_even);
        let mut ways = even.map(|columns| self.arrangement(form, columns));
        ways.find(|way| way.size.1 <= height)
    }
}
