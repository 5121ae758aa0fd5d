//! `mnist-tui`, the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mnist_tui::cli::main(std::env::args_os())
}
