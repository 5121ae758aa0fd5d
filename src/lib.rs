//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod app;
pub mod config;
pub mod keymap;
pub mod metrics;
pub mod protocol;
pub mod ui;
