//! The safetensors format: names, shapes and places of tensors in a header, then their values.

use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;

use super::{Flaw, error::shortened};

/// A file whose header describes all of its data.
pub(super) struct Container<'a> {
    header: Metadata,
    data: &'a [u8],
}

impl<'a> Container<'a> {
    /// Splits a file into header and data.
    ///
    /// `SafeTensors::deserialize` is not used: safetensors 0.8 adds offsets from the header unchecked
    /// and overflows.
    ///
    /// # Errors
    /// If the header is unusable, or describes other data than there are.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let (length, rest) = bytes.split_first_chunk().ok_or_else(|| {
            format!("it ends after {} bytes, within the header's length", bytes.len())
        })?;
        let length = u64::from_le_bytes(*length);
        let (header, data) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| {
                format!("its header should have {length} bytes, but {} follow", rest.len())
            })?;
        let header: Metadata = serde_json::from_slice(header).map_err(|error| {
            format!("its header is unusable: {}", shortened(&error.to_string()))
        })?;
        if header.data_len() != data.len() {
            return Err(format!(
                "its tensors should have {} bytes, but {} follow the header",
                header.data_len(),
                data.len()
            ));
        }
        Ok(Self { header, data })
    }

    /// The names of all tensors, in the order of their data.
    pub(super) fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    /// What the file says about itself under `key`.
    pub(super) fn fact(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// Type and shape of a tensor.
    pub(super) fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.header.info(name)
    }

    /// The values of a tensor as f32.
    ///
    /// # Errors
    /// If they are of a type that is no floating-point number in common use.
    pub(super) fn values(&self, name: &str, info: &TensorInfo) -> Result<Vec<f32>, Flaw> {
        let (start, end) = info.data_offsets;
        let bytes = self.data.get(start..end).unwrap_or_default();
        Ok(match info.dtype {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|&raw| f32::from_le_bytes(raw)).collect(),
            Dtype::F64 => {
                bytes.as_chunks().0.iter().map(|&raw| f64::from_le_bytes(raw) as f32).collect()
            }
            Dtype::F16 => {
                bytes.as_chunks().0.iter().map(|&raw| f16::from_le_bytes(raw).to_f32()).collect()
            }
            Dtype::BF16 => {
                bytes.as_chunks().0.iter().map(|&raw| bf16::from_le_bytes(raw).to_f32()).collect()
            }
            found => return Err(Flaw::Type { name: shortened(name), found }),
        })
    }
}

/// A tensor to be written, whose shape must have as many places as it has values.
pub(super) struct Tensor<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Values<'a>,
}

/// The values of a tensor.
pub(super) enum Values<'a> {
    Floats(&'a [f32]),
    Count(i64),
}

impl Values<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Floats(_) => Dtype::F32,
            Self::Count(_) => Dtype::I64,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Floats(values) => size_of_val(*values),
            Self::Count(_) => size_of::<i64>(),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Floats(values) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Self::Count(count) => bytes.extend(count.to_le_bytes()),
        }
    }
}

/// The bytes of a file, in the order that the safetensors library writes: by type, then by name. Unlike
/// the library's, they are a function of the content: facts have an order, too.
pub(super) fn serialize(mut tensors: Vec<Tensor>, facts: &[(&str, String)]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Entry<'a> {
        dtype: Dtype,
        shape: &'a [usize],
        data_offsets: [usize; 2],
    }
    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("text and numbers always have a JSON form")
    }
    tensors.sort_by(|a, b| {
        let floats = |tensor: &Tensor| matches!(tensor.values, Values::Floats(_));
        (floats(a), &a.name).cmp(&(floats(b), &b.name))
    });
    // The key by which other libraries know that names and layout are PyTorch's.
    let format = [("format", "pt".to_owned())];
    let facts =
        format.iter().chain(facts).map(|(key, value)| format!("{}:{}", json(key), json(value)));
    let mut header = format!("{{\"__metadata__\":{{{}}}", facts.collect::<Vec<_>>().join(","));
    let mut end = 0;
    for Tensor { name, shape, values } in &tensors {
        let start = end;
        end += values.bytes();
        let entry = Entry { dtype: values.dtype(), shape, data_offsets: [start, end] };
        header.extend([",", &json(name), ":", &json(&entry)]);
    }
    header.push('}');
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header.bytes());
    for tensor in &tensors {
        tensor.values.write(&mut bytes);
    }
    bytes
}
