"""`make bench`: compares Quanyu with other engines on one data set, first the answers and then the times."""
