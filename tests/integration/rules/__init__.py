"""Tests of rules over gRPC, on the command line and in an editor."""
