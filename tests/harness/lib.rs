//! Starts the real binary and real peers for the stories
