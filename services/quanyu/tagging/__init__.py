"""Says whom a rule means, and who they are."""
