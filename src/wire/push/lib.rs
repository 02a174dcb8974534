//! WAP push PDUs
