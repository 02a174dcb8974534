//! All that a plugin may know
