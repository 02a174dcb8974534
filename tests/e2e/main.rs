//! End-to-end stories: the real binary, real peers, one story per file. Nothing here knows the product's code.

