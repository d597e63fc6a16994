"""A network from another repository, alone in its folder and left as it is."""
