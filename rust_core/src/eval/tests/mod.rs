mod examples;
mod instants;
mod laws;
mod naive;
mod random;
mod values;
mod world;
