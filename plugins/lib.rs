//! The list of plugins
