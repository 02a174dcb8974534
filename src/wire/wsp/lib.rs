//! WSP header grammar, number tables and multipart
