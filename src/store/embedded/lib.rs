//! The embedded store: SQLite and content segments
