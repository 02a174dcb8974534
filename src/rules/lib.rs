//! Rule files: checked programs and explained decisions
