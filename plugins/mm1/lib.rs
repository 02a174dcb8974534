//! plugin mm1
