"""A module that takes its process down when it is imported."""

import os

os._exit(7)
