"""`python -m quanyu`."""

from quanyu.cli import main

main()
