//! Against the real file.
