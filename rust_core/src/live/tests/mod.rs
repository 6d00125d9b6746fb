mod concern;
mod follow;
mod random;
mod senses;
