//! `model`: what a network is made of.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    check::print,
    network::{Plan, plan::Param},
    outcome::Outcome,
    ui::thousands,
};

/// How a network is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line for each layer.
    Table,
    /// One JSON object.
    Json,
    /// A file of Python.
    PyTorch,
}

/// Prints a network to stdout.
pub fn run(plan: &Plan, form: Form) -> Outcome {
    print(&match form {
        Form::Table => table(plan),
        Form::Json => object(plan),
        Form::PyTorch => plan.pytorch(),
    })
}

/// `1×28×28`.
fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

fn table(plan: &Plan) -> String {
    let number = |n: u64| if n == 0 { String::new() } else { thousands(n) };
    let row = |name: String, shape: String, [parameters, multiply_adds]: [u64; 2]| {
        [name, shape, number(parameters), number(multiply_adds)]
    };
    let heads = ["layer", "output", "parameters", "multiply-adds"].map(str::to_owned);
    let mut rows = vec![heads, row("image".to_owned(), shape(&plan.input()), [0, 0])];
    rows.extend(plan.rows().iter().map(|layer| {
        let name = format!("{}{}", "  ".repeat(layer.depth), layer.name);
        row(name, shape(&layer.shape), [layer.parameters as u64, layer.multiply_adds])
    }));
    let totals = [plan.trained_len() as u64, plan.multiply_adds()];
    rows.push(row("total".to_owned(), String::new(), totals));

    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
    let mut text = format!("{}\n\n", plan.spec());
    for [name, shape, parameters, multiply_adds] in &rows {
        let [a, b, c, d] = widths;
        let line = format!("{name:<a$}  {shape:<b$}  {parameters:>c$}  {multiply_adds:>d$}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if plan.running_len() > 0 {
        let running = thousands(plan.running_len() as u64);
        let _ = writeln!(text, "\nand {running} running statistics of batch normalisation");
    }
    text
}

fn object(plan: &Plan) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        spec: String,
        name: Option<&'static str>,
        input: [usize; 3],
        classes: usize,
        layers: Vec<Layer<'a>>,
        parameters: usize,
        multiply_adds: u64,
        trained: Vec<Tensor<'a>>,
        running: Vec<Tensor<'a>>,
    }
    #[derive(Serialize)]
    struct Layer<'a> {
        name: &'a str,
        depth: usize,
        output: &'a [usize],
        parameters: usize,
        multiply_adds: u64,
    }
    #[derive(Serialize)]
    struct Tensor<'a> {
        name: &'a str,
        shape: &'a [usize],
    }
    fn tensors(params: &[Param]) -> Vec<Tensor<'_>> {
        params.iter().map(|Param { name, shape, .. }| Tensor { name, shape }).collect()
    }
    let layers = plan.rows().iter().map(|row| Layer {
        name: &row.name,
        depth: row.depth,
        output: &row.shape,
        parameters: row.parameters,
        multiply_adds: row.multiply_adds,
    });
    let object = Object {
        spec: plan.spec().to_string(),
        name: plan.spec().name(),
        input: plan.input(),
        classes: plan.classes(),
        layers: layers.collect(),
        parameters: plan.trained_len(),
        multiply_adds: plan.multiply_adds(),
        trained: tensors(plan.params()),
        running: tensors(plan.running()),
    };
    serde_json::to_string(&object).expect("text and numbers always have a JSON form") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;

    fn plan(text: &str) -> Plan {
        let spec: NetworkSpec = text.parse().expect("a network");
        Plan::of(&spec, [1, 28, 28], 10).expect("it fits")
    }

    fn deep() -> Plan {
        let block = "residual(conv 8 k3 p1 nobias, bn, relu, conv 8 k3 p1, bn)";
        plan(&format!(
            "conv 8 k5 s2 p2 nobias, bn, gelu, {block}, relu, pool 3 s2, {block}, {block}, avgpool 2, \
             residual(residual(relu, conv 8 k1), dropout 0.1), gap, linear 32, bn, relu, dropout 0.25, linear"
        ))
    }

    #[test]
    fn the_table_has_a_line_for_each_layer_and_totals() {
        insta::assert_snapshot!("table of the article", table(&Plan::article()));
        insta::assert_snapshot!("table with blocks", table(&deep()));
    }

    #[test]
    fn the_object_says_the_same() {
        let object: serde_json::Value =
            serde_json::from_str(&object(&Plan::article())).expect("JSON");
        assert_eq!(object["name"], "article");
        assert_eq!(object["spec"], NetworkSpec::article().to_string());
        assert_eq!(object["parameters"], 5_142);
        assert_eq!(object["layers"][2]["name"], "layer1_pool");
        assert_eq!(object["layers"][2]["output"], serde_json::json!([6, 12, 12]));
        assert_eq!(object["trained"][5]["name"], "fc.bias");
    }

    #[test]
    fn python_reads_as_a_person_would_write_it() {
        insta::assert_snapshot!("the article in PyTorch", Plan::article().pytorch());
        insta::assert_snapshot!("blocks in PyTorch", deep().pytorch());
        insta::assert_snapshot!("a linear network in PyTorch", plan("flatten, linear").pytorch());
    }
}
