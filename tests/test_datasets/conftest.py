from tests.cmu_data import cmu_root

__all__ = ['cmu_root']
