mod follow;
mod random;
mod senses;
