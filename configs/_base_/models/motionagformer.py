# The losses of MotionBERT.
_base_ = './dstformer.py'
model = dict(backbone=dict(type='MotionAGFormer'))
