"""Tests of campaigns in a delivery process."""
