"""`make bench`: Quanyu beside other engines, on one made world, with answers compared before they are timed."""
