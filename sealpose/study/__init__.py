"""Studies: several ways to train, compared over seeds with intervals."""
