"""Tests of several services that run as `quanyu serve`, in one process or in many."""
