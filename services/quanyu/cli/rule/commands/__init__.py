"""The commands of `quanyu rule`, each beside the way it prints its response."""
