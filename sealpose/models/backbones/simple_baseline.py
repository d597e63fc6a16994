"""SimpleBaseline: a residual MLP that lifts single frames.

J. Martinez et al., A simple yet effective baseline for 3d human pose estimation, ICCV
2017. Original in TensorFlow: https://github.com/una-dinosauria/3d-pose-baseline; with
the weights of its port https://github.com/weigq/3d_pose_baseline_pytorch, or of the one
in https://github.com/garyzhao/SemGCN, this module gives their numbers. What differs: 2D
is screen-normalised and 3D in metres, as in later codes, where the first two take
z-scores of both, so that their weights serve to start from, not to predict. SemGCN's
predicts 15 joints of 16, without the root, and does not fit for that reason.
"""

from typing import Any

from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    channels, inputs = state['w1.weight'].shape
    outputs = len(state['w2.bias'])
    if outputs * 2 != inputs * 3:
        raise ValueError(
            f'these weights map {inputs // 2} joints to {outputs // 3}; SimpleBaseline '
            'predicts every joint that it sees'
        )
    return dict(
        num_joints=inputs // 2,
        channels=channels,
        num_stages=sum(key.endswith('.w1.weight') for key in state),
    )


@BACKBONES.register_module()
class SimpleBaseline(Backbone):
    """Residual MLP over the flattened joints of one frame.

    Args:
        num_joints: Joints J.
        channels: Width of the hidden layers.
        num_stages: Residual blocks of two layers each.
        dropout: Drop probability after each hidden layer.
    """

    seq2seq = True
    any_length = True
    official = OfficialWeights(
        source='weigq/3d_pose_baseline_pytorch',
        renames=(
            (r'^linear_stages\.(\d+)\.w1\.', r'stages.\1.0.0.'),
            (r'^linear_stages\.(\d+)\.batch_norm1\.', r'stages.\1.0.1.'),
            (r'^linear_stages\.(\d+)\.w2\.', r'stages.\1.1.0.'),
            (r'^linear_stages\.(\d+)\.batch_norm2\.', r'stages.\1.1.1.'),
            (r'^w1\.', 'expand.0.'),
            (r'^batch_norm1\.', 'expand.1.'),
            (r'^w2\.', 'shrink.'),
        ),
        settings=_settings,
        output_layers=('shrink',),
    )

    def __init__(
        self,
        num_joints: int = 17,
        channels: int = 1024,
        num_stages: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.expand = _layer(num_joints * 2, channels, dropout)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _layer(channels, channels, dropout), _layer(channels, channels, dropout)
            )
            for _ in range(num_stages)
        )
        self.shrink = nn.Linear(channels, num_joints * 3)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame."""
        self.check_joints(keypoints_2d)
        x = self.expand(keypoints_2d.flatten(0, 1).flatten(1))
        for stage in self.stages:
            x = x + stage(x)
        return self.shrink(x).view(*keypoints_2d.shape[:3], 3)


def _layer(channels_in: int, channels_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels_in, channels_out),
        nn.BatchNorm1d(channels_out),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )
