//! Load generator, sink and references
