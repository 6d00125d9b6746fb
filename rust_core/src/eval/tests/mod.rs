mod examples;
mod laws;
mod naive;
mod random;
mod values;
mod world;
