//! plugin lab
