//! The one-line form of a network, as it is written.

use std::fmt;

use super::spec::{Layer, NetworkSpec};

impl fmt::Display for NetworkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(&self.layers, f)
    }
}

fn print(layers: &[Layer], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (place, layer) in layers.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{layer}")?;
    }
    Ok(())
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_bias = |bias: &bool| if *bias { "" } else { " nobias" };
        let pool = |f: &mut fmt::Formatter<'_>, name, size, stride: &Option<usize>| {
            write!(f, "{name} {size}")?;
            stride.map_or(Ok(()), |stride| write!(f, " s{stride}"))
        };
        match self {
            Self::Conv { channels, kernel, stride, padding, bias } => {
                write!(f, "conv {channels} k{kernel}")?;
                if *stride != 1 {
                    write!(f, " s{stride}")?;
                }
                if *padding != 0 {
                    write!(f, " p{padding}")?;
                }
                f.write_str(with_bias(bias))
            }
            Self::BatchNorm => f.write_str("bn"),
            Self::Relu => f.write_str("relu"),
            Self::Gelu => f.write_str("gelu"),
            Self::MaxPool { size, stride } => pool(f, "pool", size, stride),
            Self::AvgPool { size, stride } => pool(f, "avgpool", size, stride),
            Self::GlobalAvgPool => f.write_str("gap"),
            Self::Dropout { p } => write!(f, "dropout {p}"),
            Self::Flatten => f.write_str("flatten"),
            Self::Linear { width, bias } => {
                f.write_str("linear")?;
                if let Some(width) = width {
                    write!(f, " {width}")?;
                }
                f.write_str(with_bias(bias))
            }
            Self::Residual { layers } => {
                f.write_str("residual(")?;
                print(layers, f)?;
                f.write_str(")")
            }
        }
    }
}
