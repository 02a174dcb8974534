//! plugin kannel
