mod affected_rows;
mod dependencies;
mod follow;
mod random;
