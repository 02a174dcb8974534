//! The SMTP server session as a state machine without I/O
