# The losses of MixSTE.
_base_ = './mixste.py'
model = dict(backbone=dict(type='KTPFormer'))
