//! A local Dataverse that refuses what the real one refuses.
