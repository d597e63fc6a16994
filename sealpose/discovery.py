"""Imports every module of a package, so that what it registers is known.

With it a new backbone, data set, metric or skeleton is one new file.
"""

import importlib
import pkgutil


def import_submodules(package: str) -> None:
    """Import the modules and packages that lie directly in a package.

    Args:
        package: Its full name; called as ``import_submodules(__name__)`` in its
            ``__init__.py``.
    """
    path = importlib.import_module(package).__path__
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f'{package}.{module.name}')
