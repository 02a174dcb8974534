//! The one-way road
