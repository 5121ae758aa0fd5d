//! Sets from the Hugging Face hub, as candle fetches them.

use candle_core::{DType, Tensor};

use super::{CLASSES, DataError, DataInfo, Dataset, PIXELS, SIDE, Splits, known};
use crate::config::HubSet;

/// Images turned back into bytes at a time: candle's copy of them is four times as large.
const CHUNK: usize = 1000;

/// Fetches a set, or takes it from the cache of an earlier time.
pub(super) fn load(set: HubSet) -> Result<Splits, DataError> {
    let (name, info) = match set {
        HubSet::Mnist => ("MNIST", DataInfo::mnist()),
        HubSet::FashionMnist => ("Fashion-MNIST", known::fashion_mnist()),
    };
    let read = match set {
        HubSet::Mnist => candle_datasets::vision::mnist::load(),
        HubSet::FashionMnist => candle_datasets::vision::fashion_mnist::load(),
    };
    let set = read.map_err(|error| failed(name, error))?;
    let train = dataset(name, &set.train_images, &set.train_labels)?;
    drop((set.train_images, set.train_labels));
    let test = dataset(name, &set.test_images, &set.test_labels)?;
    Ok(Splits::new(info, train, test))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over by value")]
fn failed(set: &'static str, error: impl ToString) -> DataError {
    // candle may add a backtrace after the first line.
    let reason = error.to_string().lines().next().unwrap_or("no reason given").to_owned();
    DataError::Hub { set, reason }
}

/// Turns candle's images (`[n, 784]`, f32, bytes divided by 255) and labels (`[n]`) into a set of
/// bytes.
fn dataset(set: &'static str, images: &Tensor, labels: &Tensor) -> Result<Dataset, DataError> {
    let failed = |reason: String| failed(set, reason);
    let refused = |error: candle_core::Error| failed(error.to_string());
    let (len, pixels) = images.dims2().map_err(refused)?;
    if pixels != PIXELS || labels.dims() != [len] || len == 0 {
        return Err(failed(format!(
            "it sent images of shape {:?} and labels of shape {:?}, expected [n, {PIXELS}] and [n]",
            images.dims(),
            labels.dims()
        )));
    }
    let mut bytes = Vec::with_capacity(len * PIXELS);
    for start in (0..len).step_by(CHUNK) {
        let chunk = images
            .narrow(0, start, CHUNK.min(len - start))
            .and_then(|chunk| chunk.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>())
            .map_err(refused)?;
        for value in chunk {
            bytes.push(byte(value).ok_or_else(|| {
                failed(format!("it sent the pixel {value}, expected a byte divided by 255"))
            })?);
        }
    }
    let labels = labels.to_dtype(DType::U8).and_then(|labels| labels.to_vec1()).map_err(refused)?;
    super::idx::check_labels(&format!("{set} from the hub"), CLASSES, &labels)?;
    Dataset::new([1, SIDE, SIDE], CLASSES, bytes, labels)
}

/// The byte that was divided by 255, if `value` is one.
fn byte(value: f32) -> Option<u8> {
    let byte = (value * 255.0).round();
    ((0.0..=255.0).contains(&byte) && (byte / 255.0 - value).abs() < 1e-6).then_some(byte as u8)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn every_byte_survives_the_way_through_candles_floats() {
        let bytes: Vec<u8> = (0..1500 * PIXELS).map(|index| (index % 256) as u8).collect();
        let labels: Vec<u8> = (0..1500).map(|index| (index % 10) as u8).collect();
        let images = Tensor::from_vec(bytes.clone(), (1500, PIXELS), &Device::Cpu).unwrap();
        let images = (images.to_dtype(DType::F32).unwrap() / 255.).unwrap();
        let set = dataset("MNIST", &images, &Tensor::new(labels.as_slice(), &Device::Cpu).unwrap())
            .unwrap();
        assert_eq!(set.images(), bytes);
        assert_eq!(set.labels(), labels);
    }

    #[test]
    fn other_shapes_pixels_and_labels_are_refused_in_a_sentence() {
        let labels = |values: &[u8]| Tensor::new(values, &Device::Cpu).unwrap();
        let images =
            |rows, columns, value: f32| Tensor::full(value, (rows, columns), &Device::Cpu).unwrap();
        let message = |images, labels| dataset("MNIST", &images, &labels).unwrap_err().to_string();
        assert_eq!(
            message(images(2, 100, 0.), labels(&[1, 2])),
            "cannot get MNIST from the hub (it sent images of shape [2, 100] and labels of shape \
             [2], expected [n, 784] and [n]): check the network and HF_ENDPOINT, HF_HOME and \
             HF_TOKEN where they are set, or use --data builtin"
        );
        assert!(message(images(2, PIXELS, 0.), labels(&[1])).contains("labels of shape [1]"));
        for pixel in [0.5, -1.0, 1.1, f32::NAN, f32::INFINITY] {
            let message = message(images(1, PIXELS, pixel), labels(&[1]));
            assert!(message.contains("it sent the pixel"), "{message}");
        }
        assert_eq!(
            message(images(1, PIXELS, 1.), labels(&[10])),
            "MNIST from the hub has 10 as label number 0 (from 0), expected 0 to 9"
        );
    }
}
