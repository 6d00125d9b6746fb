"""Binds, compiles and evaluates rules against one version of a workspace."""
