# The large SimpleBaseline of the SEAL runs on MPI-INF-3DHP: twice as wide, one more
# stage.
_base_ = './simple_baseline.py'
model = dict(backbone=dict(channels=2048, num_stages=3))
