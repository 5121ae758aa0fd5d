//! scratch
use candle_core::*;
use mnist_tui::nn::{adam::Adam, conv_block, init, linear, loss, model::Model};
use rand::SeedableRng;
use std::time::Instant;
fn main() -> Result<()> {
    let a: Vec<String> = std::env::args().collect();
    let bs: usize = a[1].parse().unwrap();
    let threads: usize = a[2].parse().unwrap();
    let limit: usize = a[3].parse().unwrap();
    let stages = a.len() > 4;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| -> Result<()> {
        let img = std::fs::read("/tmp/w/package/data/train-images-idx3-ubyte").unwrap()[16..].to_vec();
        let lab = std::fs::read("/tmp/w/package/data/train-labels-idx1-ubyte").unwrap()[8..].to_vec();
        let model = Model::new(&init::pytorch_default(&mut rand_chacha::ChaCha8Rng::seed_from_u64(0)), &Device::Cpu)?;
        let mut adam = Adam::new(&model)?;
        let mut order: Vec<usize> = (0..60000).collect();
        let mut s = 1u64; for i in (1..60000).rev() { s = s.wrapping_mul(6364136223846793005).wrapping_add(1); order.swap(i, (s >> 33) as usize % (i + 1)); }
        let mut st = [0f64; 6];
        let t0 = Instant::now();
        let mut sum = 0.0;
        let mut reps = Vec::new();
        for _rep in 0..3 {
        let t0 = Instant::now();
        for ids in order[..limit].chunks(bs) {
            let t = Instant::now();
            let mut x = Vec::with_capacity(ids.len() * 784);
            for &i in ids { x.extend(img[i * 784..][..784].iter().map(|&b| f32::from(b) / 255.0)); }
            let y: Vec<u32> = ids.iter().map(|&i| lab[i] as u32).collect();
            let x = Tensor::from_vec(x, (ids.len(), 1, 28, 28), &Device::Cpu)?;
            let y = Tensor::from_vec(y, ids.len(), &Device::Cpu)?;
            st[0] += t.elapsed().as_secs_f64();
            let l = if stages {
                let v: Vec<_> = model.variables().into_iter().map(|(_, v)| v.clone()).collect();
                let t = Instant::now();
                let m = conv_block::forward(&x, &v[0], &v[1])?; st[1] += t.elapsed().as_secs_f64();
                let t = Instant::now();
                let m = conv_block::forward(&m, &v[2], &v[3])?; st[2] += t.elapsed().as_secs_f64();
                let t = Instant::now();
                let m = linear::forward(&m, &v[4], &v[5])?;
                let l = loss::cross_entropy(&m, &y)?; st[3] += t.elapsed().as_secs_f64();
                l
            } else { loss::cross_entropy(&model.forward(&x)?, &y)? };
            let t = Instant::now();
            let g = l.backward()?;
            st[4] += t.elapsed().as_secs_f64();
            let t = Instant::now();
            adam.step(&g)?;
            st[5] += t.elapsed().as_secs_f64();
            sum += l.to_scalar::<f32>()?;
        }
        reps.push(limit as f64 / t0.elapsed().as_secs_f64());
        }
        let n = 3.0 * limit as f64;
        println!("bs {bs} th {threads}: {:?} img/s, us/img {:.2} mean loss {}", reps.iter().map(|r| *r as u64).collect::<Vec<_>>(), t0.elapsed().as_secs_f64() / n * 1e6, sum / (n / bs as f64) as f32);
        if stages { println!("us/img gather {:.2} conv1 {:.2} conv2 {:.2} fc+loss {:.2} backward {:.2} adam {:.2}", st[0]/n*1e6, st[1]/n*1e6, st[2]/n*1e6, st[3]/n*1e6, st[4]/n*1e6, st[5]/n*1e6); }
        Ok(())
    })
}
