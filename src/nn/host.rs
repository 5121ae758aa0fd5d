//! Plain slices of tensors that lie in main memory.

use candle_core::{CpuStorage, Layout, Result, WithDType, bail};

/// The elements of a contiguous layout, in row-major order.
///
/// # Errors
/// When the layout is strided or the element type is another one.
pub(super) fn elements<'a, T: WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}
