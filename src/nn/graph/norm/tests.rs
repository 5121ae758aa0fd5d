use super::{Coefficients, Found};

fn place<T>(values: &Vec<T>) -> (*const (), usize) {
    (values.as_ptr().cast(), values.capacity())
}

impl Coefficients {
    /// Where each array lies and how much it can hold.
    pub(in crate::nn::graph) fn memory(&self) -> Vec<(*const (), usize)> {
        let Self { mean, inverse, factor, offset, slope, constant } = self;
        [mean, inverse, factor, offset, slope, constant].map(place).to_vec()
    }
}

impl Found {
    /// Where each array lies and how much it can hold.
    pub(in crate::nn::graph) fn memory(&self) -> Vec<(*const (), usize)> {
        let Self { moments, grad_sums, image, means, rows: [row, other] } = self;
        let mut places = [means, row, other].map(place).to_vec();
        let sums = [&moments.mean, &moments.squares, &image.mean, &image.squares];
        places.extend(sums.map(place));
        places.extend([&grad_sums.grads, &grad_sums.products].map(place));
        places
    }
}
