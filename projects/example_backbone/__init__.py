"""A third party's backbone, alone in its folder."""
