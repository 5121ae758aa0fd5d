//! Eigenvectors of small symmetric matrices.

/// Most sweeps over all pairs of rows; matrices of some dozens of rows have settled long before.
const MOST_SWEEPS: usize = 30;

/// Eigenvalues of a symmetric matrix, given by rows, the largest first, each with its eigenvector of length
/// 1: by Jacobi's rotations.
pub fn eigen(mut matrix: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let side = matrix.len();
    let unit = |row: usize| (0..side).map(|column| f64::from(u8::from(row == column))).collect();
    let mut vectors: Vec<Vec<f64>> = (0..side).map(unit).collect();
    for _ in 0..MOST_SWEEPS {
        let mut is_diagonal = true;
        for p in 0..side {
            for q in p + 1..side {
                if matrix[p][q] == 0.0 {
                    continue;
                }
                is_diagonal = false;
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = tangent.hypot(1.0).recip();
                let sine = tangent * cosine;
                let turn = |a: f64, b: f64| (cosine * a - sine * b, sine * a + cosine * b);
                for row in matrix.iter_mut().chain(&mut vectors) {
                    (row[p], row[q]) = turn(row[p], row[q]);
                }
                let (upper, lower) = matrix.split_at_mut(q);
                for (a, b) in upper[p].iter_mut().zip(&mut lower[0]) {
                    (*a, *b) = turn(*a, *b);
                }
            }
        }
        if is_diagonal {
            break;
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = (0..side)
        .map(|place| (matrix[place][place], vectors.iter().map(|row| row[place]).collect()))
        .collect();
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_the_sum_of_its_eigenvectors() {
        let value = |row: usize, column: usize| ((row * 7 + column * 7) % 5) as f64 - 1.5;
        for side in [0, 1, 2, 9] {
            let matrix: Vec<Vec<f64>> =
                (0..side).map(|row| (0..side).map(|column| value(row, column)).collect()).collect();
            let found = eigen(matrix.clone());
            assert!(found.windows(2).all(|pair| pair[0].0 >= pair[1].0), "{found:?}");
            for row in 0..side {
                for column in 0..side {
                    let parts = found.iter().map(|(value, it)| value * it[row] * it[column]);
                    let (sum, expected) = (parts.sum::<f64>(), matrix[row][column]);
                    assert!((sum - expected).abs() < 1e-12, "{sum}, not {expected}");
                    let along = found[row].1.iter().zip(&found[column].1);
                    let product = along.map(|(a, b)| a * b).sum::<f64>();
                    let expected = f64::from(u8::from(row == column));
                    assert!((product - expected).abs() < 1e-12, "they are orthonormal");
                }
            }
        }
    }
}
