//! Where a job's arrays lie in the arena, and what is copied when.
//!
//! An arena has four parts: what goes to the device only, what goes there and comes back, what comes back only,
//! and what stays. So one copy goes there and one comes back, however many jobs there are.

use super::{
    driver::Layout,
    engine::{Chunk, Done, FACTORS, KEY, Rule, State},
};

/// Images of a batch whose gradients are summed first, one image in as many: GROUPS of `dialect.cuh`.
const GROUPS: usize = 128;
/// Words of `Job` of `dialect.cuh`: fourteen addresses and twelve numbers.
const JOB: usize = 2 * 14 + 12;
/// Words that an array begins at a multiple of: kernels load four at once.
const ALIGNMENT: usize = 4;

/// The words of an array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    start: usize,
    len: usize,
}

#[derive(Debug, Default)]
struct Places {
    order: Place,
    factors: Place,
    barrier: Place,
    failed: Place,
    weights: Place,
    first: Place,
    second: Place,
    average: Place,
    gradient: Place,
    logits: Place,
    losses: Place,
    answers: Place,
    partials: Place,
    scratch: Place,
    /// Logits of the last step, which may have fewer images than others.
    last: usize,
}

/// The layout of an arena for some jobs.
#[derive(Debug)]
pub(super) struct Arrangement {
    jobs: Vec<Places>,
    /// Words that go to the device: the first ones.
    pub(super) sent: usize,
    /// The first word that comes back.
    pub(super) returned: usize,
    /// ... and how many do.
    pub(super) returns: usize,
    /// Words of all.
    pub(super) words: usize,
}

struct Row(usize);

impl Row {
    fn take(&mut self, len: usize) -> Place {
        let start = self.0;
        self.0 += len.next_multiple_of(ALIGNMENT);
        Place { start, len }
    }
}

impl Arrangement {
    /// Places for chunks of a network, each trained on `blocks` blocks.
    pub(super) fn of(layout: &Layout, chunks: &[Chunk], blocks: usize) -> Self {
        let Layout { parameters, classes, scratch, .. } = *layout;
        let mut row = Row(0);
        row.take(chunks.len() * JOB);
        let mut jobs: Vec<Places> = chunks
            .iter()
            .map(|chunk| Places {
                order: row.take(chunk.order.len() + KEY),
                factors: row.take(chunk.steps() * FACTORS),
                barrier: row.take(1),
                ..Places::default()
            })
            .collect();
        let returned = row.0;
        for (places, chunk) in jobs.iter_mut().zip(chunks) {
            places.failed = row.take(chunk.steps());
            places.weights = row.take(parameters);
            places.first = row.take(parameters);
            places.second = row.take(parameters);
            places.average = row.take(if chunk.state.average.is_some() { parameters } else { 0 });
        }
        let sent = row.0;
        for (places, chunk) in jobs.iter_mut().zip(chunks) {
            places.gradient = row.take(parameters);
            places.logits = row.take(chunk.batch.min(chunk.order.len()) * classes);
            places.last = chunk.last() * classes;
            places.losses = row.take(chunk.order.len());
            places.answers = row.take(chunk.order.len().div_ceil(2));
        }
        let returns = row.0 - returned;
        for (places, chunk) in jobs.iter_mut().zip(chunks) {
            places.partials = row.take(GROUPS.min(chunk.batch) * parameters);
            places.scratch = row.take(blocks * scratch);
        }
        Self { jobs, sent, returned, returns, words: row.0 }
    }

    /// What goes to the device, whose arena begins at the address `base`.
    pub(super) fn pack(&self, base: u64, chunks: &[Chunk]) -> Vec<u32> {
        let mut words = vec![0; self.sent];
        for (number, (places, chunk)) in self.jobs.iter().zip(chunks).enumerate() {
            let mut put = |place: Place, values: &[f32]| {
                for (word, value) in words[place.start..][..place.len].iter_mut().zip(values) {
                    *word = value.to_bits();
                }
            };
            put(places.factors, chunk.factors.as_flattened());
            put(places.weights, &chunk.state.weights);
            for (place, slot) in [places.first, places.second].into_iter().zip(&chunk.state.slots) {
                put(place, slot);
            }
            put(places.average, chunk.state.average.as_deref().unwrap_or_default());
            let order = &mut words[places.order.start..][..places.order.len];
            let (order, key) = order.split_at_mut(chunk.order.len());
            order.copy_from_slice(chunk.order);
            key.copy_from_slice(&chunk.key);
            let job = job_words(places, base, chunk);
            words[number * JOB..][..JOB].copy_from_slice(&job);
        }
        words
    }

    /// What came back, with the chunks' states renewed.
    pub(super) fn unpack(&self, words: &[u32], chunks: &mut [Chunk]) -> Vec<Done> {
        let at = |place: Place| &words[place.start - self.returned..][..place.len];
        let floats = |place: Place| at(place).iter().map(|&word| f32::from_bits(word));
        let done = |(places, chunk): (&Places, &mut Chunk)| {
            let State { weights, slots, average } = &mut *chunk.state;
            let renew = |values: &mut Vec<f32>, place: Place| {
                values.clear();
                values.extend(floats(place));
            };
            renew(weights, places.weights);
            for (slot, place) in slots.iter_mut().zip([places.first, places.second]) {
                renew(slot, place);
            }
            if let Some(average) = average {
                renew(average, places.average);
            }
            let bytes = at(places.answers).iter().flat_map(|word| word.to_le_bytes());
            let bytes: Vec<u8> = bytes.take(2 * chunk.order.len()).collect();
            let (answers, _) = bytes.as_chunks();
            Done {
                losses: floats(places.losses).collect(),
                answers: answers.to_vec(),
                finite: at(places.failed).iter().map(|&failed| failed == 0).collect(),
                logits: floats(places.logits).take(places.last).collect(),
                gradient: floats(places.gradient).collect(),
            }
        };
        self.jobs.iter().zip(chunks).map(done).collect()
    }
}

/// `Job` of `dialect.cuh`.
fn job_words(places: &Places, base: u64, chunk: &Chunk) -> Vec<u32> {
    let address = |place: Place| base + 4 * place.start as u64;
    let average = if places.average.len == 0 { 0 } else { address(places.average) };
    let addresses = [
        address(places.order),
        address(places.factors),
        address(places.weights),
        address(places.first),
        address(places.second),
        average,
        address(places.gradient),
        address(places.partials),
        address(places.scratch),
        address(places.losses),
        address(places.logits),
        address(places.answers),
        address(places.failed),
        address(places.barrier),
    ];
    let Rule { kind, keep, take, epsilon, decay, smoothing } = chunk.rule;
    let numbers = [chunk.steps(), chunk.batch, chunk.order.len(), kind as usize];
    let floats = [keep[0], take[0], keep[1], take[1], epsilon, decay, smoothing, 0.0];
    let halves = addresses.into_iter().flat_map(|address| [address as u32, (address >> 32) as u32]);
    halves.chain(numbers.map(|number| number as u32)).chain(floats.map(f32::to_bits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout::of(7, 3, 12, 5);

    fn state(average: bool) -> State {
        let values = |first: u32| (first..first + 7).map(|value| value as f32).collect::<Vec<_>>();
        State {
            weights: values(0),
            slots: vec![values(10), values(20)],
            average: average.then(|| values(30)),
        }
    }

    #[test]
    fn arrays_do_not_overlap_and_what_comes_back_is_what_went() {
        let orders: [Vec<u32>; 2] = [(0..10).collect(), (5..8).collect()];
        let mut states = [state(false), state(true)];
        let factors = [[1.0, 2.0, 3.0, 4.0]; 3];
        let mut chunks: Vec<Chunk> = orders
            .iter()
            .zip(&mut states)
            .map(|(order, state)| Chunk {
                order,
                batch: 4,
                factors: &factors[..order.len().div_ceil(4)],
                key: [7; KEY],
                rule: Rule::default(),
                state,
            })
            .collect();
        let arrangement = Arrangement::of(&LAYOUT, &chunks, 2);
        let mut taken = vec![false; arrangement.words];
        for places in &arrangement.jobs {
            let Places { order, factors, barrier, failed, weights, first, second, .. } = places;
            let Places { average, gradient, logits, losses, answers, partials, scratch, .. } =
                places;
            let all = [order, factors, barrier, failed, weights, first, second, average];
            for place in
                all.into_iter().chain([gradient, logits, losses, answers, partials, scratch])
            {
                assert!(place.start.is_multiple_of(ALIGNMENT), "{place:?}");
                assert!(place.len == 0 || place.start >= 2 * JOB, "{place:?}");
                for taken in &mut taken[place.start..][..place.len] {
                    assert!(!std::mem::replace(taken, true), "{place:?}");
                }
            }
        }
        let sent = arrangement.pack(0x1_0000_0000, &chunks);
        assert_eq!(sent.len(), arrangement.sent);
        let (order, weights) = (arrangement.jobs[1].order, arrangement.jobs[1].weights);
        assert_eq!(sent[order.start..][..5], [5, 6, 7, 7, 7]);
        assert_eq!(sent[JOB..][..2], [4 * order.start as u32, 1], "an address is two words");
        assert_eq!(sent[JOB + 28..][..4], [1, 4, 3, 0]);
        let mut all = sent;
        all.resize(arrangement.words, 9);
        all[weights.start] = 77.0_f32.to_bits();
        let back = &all[arrangement.returned..][..arrangement.returns];
        let done = arrangement.unpack(back, &mut chunks);
        assert_eq!(done[0].finite, [true; 3]);
        assert_eq!((done[1].losses.len(), done[1].answers.len(), done[1].logits.len()), (3, 3, 9));
        assert_eq!(done[0].logits.len(), 6, "of two images in the last batch");
        let mut expected = state(true);
        expected.weights[0] = 77.0;
        assert_eq!(states, [state(false), expected]);
    }
}
