//! Principal components of rows of numbers, by subspace iteration with Rayleigh–Ritz steps.

use rayon::prelude::*;

use super::eigen::eigen;

/// Vectors that are iterated together: the more of them, the sooner the first two have settled.
const BLOCK: usize = 8;
/// Rows that one thread takes at a time.
const ROWS: usize = 128;

/// The first two principal components of a set of rows, found step by step.
///
/// It can be used again for other rows, which goes quicker the more these are like the last.
#[derive(Clone, Debug)]
pub struct Pca {
    /// For each column of the rows its value in each vector of an orthonormal block.
    block: Vec<[f64; BLOCK]>,
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
    shares: [f64; 2],
}

impl Pca {
    /// Largest error of a component, relative to the first one's variance, with which it has settled.
    const SETTLED: f64 = 1e-6;

    /// For rows of `columns` numbers.
    pub fn new(columns: usize) -> Self {
        // Any start works unless it is orthogonal to the components sought.
        let entry = |place: usize| {
            let mixed = (place as u32).wrapping_add(1).wrapping_mul(2_654_435_761);
            f64::from((mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519)) / f64::from(u32::MAX)
                - 0.5
        };
        let row = |column: usize| std::array::from_fn(|vector| entry(column * BLOCK + vector));
        let mut block = (0..columns).map(row).collect::<Vec<_>>();
        orthonormalise(&mut block);
        Self { block, mean: Vec::new(), axes: [Vec::new(), Vec::new()], shares: [0.0; 2] }
    }

    /// Whether each row has `columns` numbers.
    pub fn has_columns(&self, columns: usize) -> bool {
        self.block.len() == columns
    }

    /// Takes the rows' mean, which the following steps subtract.
    pub fn centre(&mut self, rows: &[f32]) {
        let columns = self.block.len();
        self.mean = vec![0.0; columns];
        for row in rows.chunks_exact(columns.max(1)) {
            for (mean, &value) in self.mean.iter_mut().zip(row) {
                *mean += f64::from(value);
            }
        }
        let count = (rows.len() / columns.max(1)).max(1) as f64;
        for mean in &mut self.mean {
            *mean /= count;
        }
    }

    /// Improves the components by one pass over the rows, which must be finite; whether they have
    /// settled.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        let columns = self.block.len().max(1);
        // Added up in the order of the parts, whatever the number of threads.
        let parts: Vec<(Vec<[f64; BLOCK]>, f64)> =
            rows.par_chunks(columns * ROWS).map(|rows| self.multiply(rows)).collect();
        let mut product = vec![[0.0; BLOCK]; self.block.len()];
        let mut total = 0.0;
        for (part, of_part) in parts {
            total += of_part;
            for (sums, part) in product.iter_mut().zip(part) {
                for (sum, value) in sums.iter_mut().zip(part) {
                    *sum += value;
                }
            }
        }
        let mut inner = [[0.0; BLOCK]; BLOCK];
        for (vectors, products) in self.block.iter().zip(&product) {
            for (sums, vector) in inner.iter_mut().zip(vectors) {
                for (sum, product) in sums.iter_mut().zip(products) {
                    *sum += vector * product;
                }
            }
        }
        let found = eigen(inner.map(|row| row.to_vec()).to_vec());
        let turned = |vectors: &[f64; BLOCK], place: usize| {
            vectors.iter().zip(&found[place].1).map(|(value, turn)| value * turn).sum::<f64>()
        };
        self.axes = [0, 1].map(|place| self.block.iter().map(|row| turned(row, place)).collect());
        self.shares = [0, 1].map(|place| if total > 0.0 { found[place].0 / total } else { 0.0 });
        let error = |place: usize| {
            let differences = product
                .iter()
                .zip(&self.axes[place])
                .map(|(row, axis)| turned(row, place) - found[place].0 * axis);
            differences.map(|difference| difference * difference).sum::<f64>().sqrt()
        };
        let settled = [0, 1].into_iter().all(|place| error(place) <= Self::SETTLED * found[0].0);
        self.block =
            product.iter().map(|row| std::array::from_fn(|place| turned(row, place))).collect();
        orthonormalise(&mut self.block);
        settled
    }

    /// The rows' covariance times the block, and their sum of squares.
    fn multiply(&self, rows: &[f32]) -> (Vec<[f64; BLOCK]>, f64) {
        let columns = self.block.len();
        let mut product = vec![[0.0; BLOCK]; columns];
        let mut total = 0.0;
        let mut centred = vec![0.0; columns];
        for row in rows.chunks_exact(columns.max(1)) {
            for ((centred, &value), mean) in centred.iter_mut().zip(row).zip(&self.mean) {
                *centred = f64::from(value) - mean;
            }
            let mut along = [0.0; BLOCK];
            for (&value, vectors) in centred.iter().zip(&self.block) {
                total += value * value;
                for (sum, vector) in along.iter_mut().zip(vectors) {
                    *sum += value * vector;
                }
            }
            for (&value, sums) in centred.iter().zip(&mut product) {
                for (sum, along) in sums.iter_mut().zip(along) {
                    *sum += value * along;
                }
            }
        }
        (product, total)
    }

    /// The shares of the rows' variance along the components, in 0..=1.
    pub fn shares(&self) -> [f64; 2] {
        self.shares
    }

    /// The components, each of length 1.
    pub fn axes(&self) -> &[Vec<f64>; 2] {
        &self.axes
    }

    /// Where a row lies along the components.
    pub fn project(&self, row: &[f32]) -> [f32; 2] {
        self.axes.each_ref().map(|axis| {
            let centred = row.iter().zip(&self.mean).map(|(&value, mean)| f64::from(value) - mean);
            centred.zip(axis).map(|(value, axis)| value * axis).sum::<f64>() as f32
        })
    }
}

/// Gives each axis of `points` the direction in which they lie most like `before`, the same points
/// earlier, or without those the one in which the point furthest out lies.
pub fn orient(points: &mut [[f32; 2]], before: Option<&[[f32; 2]]>) {
    for axis in 0..2 {
        let along =
            |points: &[[f32; 2]]| points.iter().map(|point| point[axis]).collect::<Vec<_>>();
        let now = along(points);
        let furthest = || now.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let likeness = match before.filter(|before| before.len() == points.len()) {
            Some(before) => now.iter().zip(along(before)).map(|(now, then)| now * then).sum(),
            None => furthest().unwrap_or(0.0),
        };
        if likeness < 0.0 {
            for point in &mut *points {
                point[axis] = -point[axis];
            }
        }
    }
}

/// Makes the vectors of a block orthonormal, in their order; one that depends on those before it
/// becomes zero.
fn orthonormalise(block: &mut [[f64; BLOCK]]) {
    for place in 0..BLOCK {
        let before: f64 = block.iter().map(|row| row[place] * row[place]).sum();
        // Twice is enough for what rounding leaves.
        for _ in 0..2 {
            for other in 0..place {
                let along: f64 = block.iter().map(|row| row[place] * row[other]).sum();
                for row in &mut *block {
                    row[place] -= along * row[other];
                }
            }
        }
        let left: f64 = block.iter().map(|row| row[place] * row[place]).sum();
        let scale = if left > 1e-24 * before { left.sqrt().recip() } else { 0.0 };
        for row in &mut *block {
            row[place] *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six rows of five numbers.
    const ROWS: [f32; 30] = [
        0.2953, 0.1292, -0.4369, 0.4791, -0.087, -0.5848, 0.0557, 0.2961, -0.0929, 0.1475, 0.1094,
        0.0285, -0.4524, -0.0743, -0.1552, -0.41, 0.3156, 0.6412, -0.2856, 0.44, 0.2842, 0.2884,
        -0.1074, 0.1331, 0.1373, -0.5958, -0.1851, 0.6256, -0.439, 0.3717,
    ];

    fn settled(columns: usize, rows: &[f32]) -> (Pca, usize) {
        let mut pca = Pca::new(columns);
        pca.centre(rows);
        let steps = (1..200).find(|_| pca.step(rows)).expect("it settles");
        (pca, steps)
    }

    /// With numpy 2:
    ///
    /// ```python
    /// c = x - x.mean(0); u, s, vt = np.linalg.svd(c, full_matrices=False)
    /// print(s**2 / (s**2).sum(), (u * s)[:, :2], vt[:2])
    /// ```
    #[test]
    fn components_and_projections_are_numpys() {
        let (pca, _) = settled(5, &ROWS);
        for (found, expected) in pca.shares().into_iter().zip([0.846_495, 0.095_973]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
        let axis = [-0.553_82, -0.069_18, 0.670_29, -0.392_36, 0.291_98];
        let sign = -pca.axes()[0][0].signum();
        for (found, expected) in pca.axes()[0].iter().zip(axis) {
            assert!((sign * found - expected).abs() < 1e-4, "{found}");
        }
        let mut points: Vec<_> = ROWS.chunks(5).map(|row| pca.project(row)).collect();
        let expected = [
            [-0.877_767, 0.043_982],
            [0.398_962, -0.144_163],
            [-0.581_015, -0.288_863],
            [0.676_508, 0.300_197],
            [-0.460_521, 0.268_157],
            [0.843_833, -0.179_308],
        ];
        orient(&mut points, Some(&expected));
        for (found, expected) in points.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        }
    }

    #[test]
    fn rows_like_the_last_ones_settle_sooner() {
        let rows: Vec<f32> = (0..100 * 40_u32)
            .map(|place| (place.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0)
            .collect();
        let (mut pca, first) = settled(40, &rows);
        let changed: Vec<f32> = rows.iter().map(|value| value * 1.01 + 3.0).collect();
        pca.centre(&changed);
        let again = (1..200).find(|_| pca.step(&changed)).expect("it settles");
        assert!(2 * again < first, "{again} after {first}");
    }

    #[test]
    fn rows_without_variance_or_with_fewer_columns_than_components_lie_in_one_place() {
        let (pca, _) = settled(3, &[1.0, 2.0, 3.0].repeat(4));
        assert_eq!((pca.shares(), pca.project(&[1.0, 2.0, 3.0])), ([0.0; 2], [0.0; 2]));
        let (pca, _) = settled(1, &[1.0, 3.0]);
        assert_eq!(pca.project(&[3.0])[0].abs(), 1.0);
        assert!((pca.shares()[0] - 1.0).abs() < 1e-9);
        let mut nothing = Pca::new(0);
        nothing.centre(&[]);
        assert!(nothing.step(&[]));
        assert_eq!(nothing.project(&[]), [0.0; 2]);
    }

    #[test]
    fn an_axis_keeps_its_direction() {
        let before = [[1.0, 1.0], [-2.0, 0.5], [0.5, -1.0]];
        let mut turned = before.map(|[x, y]| [-x, y]);
        orient(&mut turned, Some(&before));
        assert_eq!(turned, before);
        let mut alone = [[1.0, 1.0], [-2.0, 3.0]];
        orient(&mut alone, None);
        assert_eq!(alone, [[-1.0, 1.0], [2.0, 3.0]]);
    }
}
