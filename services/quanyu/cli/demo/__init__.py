"""`quanyu demo`: import, segments, tags and a campaign on two datasets, one of real shoppers and one generated."""
