"""Identity resolution: folds the raw log to find which identifiers belong to the same person."""
