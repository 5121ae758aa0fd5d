//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod app;
mod bar;
pub mod bench;
pub mod check;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod headless;
pub mod journal;
pub mod keymap;
pub mod launch;
pub mod metrics;
pub mod nn;
pub mod outcome;
pub mod predict;
pub mod printable;
pub mod protocol;
pub mod recorder;
pub mod reproduce;
pub mod run_log;
pub mod runs;
pub mod seed;
pub mod session;
pub mod terminal;
pub mod train;
pub mod ui;
