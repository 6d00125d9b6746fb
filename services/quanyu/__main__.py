"""`python -m quanyu`."""

from quanyu.cli import main

if __name__ == "__main__":
    main()
