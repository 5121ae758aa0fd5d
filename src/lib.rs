//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod app;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod keymap;
pub mod metrics;
pub mod nn;
pub mod protocol;
pub mod seed;
pub mod ui;
