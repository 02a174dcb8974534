//! The store contract, run on every backend
