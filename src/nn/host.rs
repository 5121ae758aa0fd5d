//! Plain slices of tensors that lie in main memory.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, WithDType, bail};

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

/// Calls `read` with the elements of a contiguous tensor in main memory.
///
/// # Errors
/// When the tensor is elsewhere, strided or of another element type, and those of `read`.
pub(super) fn with_elements<T: WithDType, R>(
    tensor: &Tensor,
    read: impl FnOnce(&[T]) -> Result<R>,
) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => read(elements(storage, layout)?),
        _ => {
            bail!("expected a tensor in main memory, found one on {:?}", tensor.device().location())
        }
    }
}
