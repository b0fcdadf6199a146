//! One run: read, prepare, classify, pack, send, settle.
