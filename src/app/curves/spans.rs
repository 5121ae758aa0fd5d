//! What is kept of a long run: neighbouring steps joined to spans.

/// Values of neighbouring steps.
pub(super) trait Span: Copy {
    /// The first and the last of the steps.
    fn steps(&self) -> (u64, u64);

    /// Both together; `later` follows.
    fn join(self, later: Self) -> Self;
}

/// Joins neighbours, by rising step, until at most about half of `most` are left, all about equally long, and gives
/// the number of steps that a span now covers before another one begins.
///
/// `None`, and nothing changes, where there are no spans.
pub(super) fn halve<S: Span>(spans: &mut Vec<S>, most: usize) -> Option<u64> {
    let (_, end) = spans.last()?.steps();
    let shortest = end.div_ceil(most as u64 / 2);
    let mut joined: Vec<S> = Vec::new();
    for span in spans.drain(..) {
        match joined.last_mut() {
            Some(last) if span.steps().1 - last.steps().0 < shortest => *last = last.join(span),
            _ => joined.push(span),
        }
    }
    *spans = joined;
    Some(shortest)
}
