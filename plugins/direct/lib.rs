//! plugin direct
