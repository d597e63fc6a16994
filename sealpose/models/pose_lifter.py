"""The pose-net: any backbone, its losses, its test-time flip."""

from collections.abc import Callable, Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from sealpose.geometry.flip import flip_pose
from sealpose.registry import BACKBONES, LOSSES, MODELS
from sealpose.skeletons import get_skeleton
from sealpose.skeletons.build import build_for_skeleton

EnergyFn = Callable[[Tensor, Tensor, Tensor], dict[str, Tensor]]


@MODELS.register_module()
class PoseLifter(BaseModel):
    """Lifts 2D keypoints to 3D joints with a backbone of any kind.

    Args:
        backbone: Config of the backbone; skeleton and number of joints are filled in.
        skeleton: Name of the skeleton that the backbone predicts.
        losses: Name to config of each loss on the prediction; the first is usually
            ``pose``. A name here appears as ``loss_<name>`` in the log. Add explicit
            constraints with one more entry.
        flip_test: Average the prediction with the mirrored prediction of the mirrored
            input at test time.
        flip_prob: Share of training windows that are mirrored.
        augmentations: Configs of transforms that disturb the 2D keypoints in training:
            noise, missing joints and the like.

    Attributes:
        energy_fn: Called in training with the 2D keypoints (B, T', J, 2) of the
            predicted frames, the prediction and the truth (B, T', J, 3); returns
            further losses by name. SEALHook sets it; None means none.
    """

    def __init__(
        self,
        backbone: dict,
        skeleton: str,
        losses: dict[str, dict],
        flip_test: bool = False,
        flip_prob: float = 0.0,
        augmentations: Sequence[dict] = (),
    ) -> None:
        preprocessor = dict(
            type='sealpose.PoseDataPreprocessor',
            skeleton=skeleton,
            flip_prob=flip_prob,
            augmentations=augmentations,
        )
        super().__init__(data_preprocessor=preprocessor)
        self.skeleton = get_skeleton(skeleton)
        self.backbone = build_for_skeleton(BACKBONES, backbone, self.skeleton)
        self.losses = nn.ModuleDict(
            {name: LOSSES.build(loss) for name, loss in losses.items()}
        )
        self.flip_test = flip_test
        self.energy_fn: EnergyFn | None = None
        self._current_input: Tensor | None = None

    def forward(
        self,
        keypoints_2d: Tensor,
        keypoints_3d: Tensor | None = None,
        frame_idx: Tensor | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor] | list[dict[str, Tensor]]:
        """Run the backbone.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.
            keypoints_3d: (B, T', J, 3), metres, root-relative, camera axes; needed in
                the mode ``loss``.
            frame_idx: (B, T'), passed through to the metrics.
            mode: ``tensor`` returns the bare prediction (B, T', J, 3); ``loss`` the
                losses by name; ``predict`` one dict with ``keypoints_3d_pred`` and
                ``frame_idx``.
        """
        if mode == 'tensor':
            return self.backbone(keypoints_2d)
        if mode == 'loss':
            return self._loss(keypoints_2d, keypoints_3d)
        pred = self.lift(keypoints_2d)
        return [dict(keypoints_3d_pred=pred, frame_idx=frame_idx)]

    def lift(self, keypoints_2d: Tensor) -> Tensor:
        """Predict as at test time, with the flip if it is on.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.

        Returns:
            (B, T', J, 3), metres, root-relative, camera axes.
        """
        if not self.flip_test:
            return self.backbone(keypoints_2d)
        mirror = self.skeleton.mirror
        both = torch.cat([keypoints_2d, flip_pose(keypoints_2d, mirror)])
        pred, mirrored = self.backbone(both).chunk(2)
        return (pred + flip_pose(mirrored, mirror)) / 2

    def predict_fresh(self) -> Tensor:
        """Predict the training batch once more, in eval mode and without gradients.

        Only while ``energy_fn`` runs. The train mode is restored.

        Returns:
            (B, T', J, 3), metres, root-relative, camera axes.
        """
        if self._current_input is None:
            raise RuntimeError('predict_fresh() works only while energy_fn runs')
        training = self.backbone.training
        self.backbone.eval()
        with torch.no_grad():
            pred = self.backbone(self._current_input)
        self.backbone.train(training)
        return pred

    def _loss(self, keypoints_2d: Tensor, target: Tensor) -> dict[str, Tensor]:
        pred, losses = self._train_backbone(keypoints_2d, target)
        target = _centre(target, pred.shape[1])
        self.check_prediction(keypoints_2d, pred, target)
        for name, loss in self.losses.items():
            losses[f'loss_{name}'] = loss(pred, target, self.skeleton)
        if self.energy_fn is not None:
            seen = _centre(keypoints_2d, pred.shape[1])[..., :2]
            self._current_input = keypoints_2d
            losses.update(self.energy_fn(seen, pred, target))
            self._current_input = None
        return losses

    def _train_backbone(
        self, keypoints_2d: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if not hasattr(self.backbone, 'forward_train'):
            return self.backbone(keypoints_2d), {}
        pred, losses = self.backbone.forward_train(keypoints_2d, target)
        return pred, {f'loss_{name}': loss for name, loss in losses.items()}

    def check_prediction(self, x: Tensor, pred: Tensor, target: Tensor) -> None:
        """Refuse a prediction whose shape is not that of the truth.

        Args:
            x: Input of the backbone, (B, T, J, 2).
            pred: Its output.
            target: The truth, (B, T', J, 3).

        Raises:
            ValueError: the shapes of prediction and truth differ.
        """
        if pred.shape != target.shape:
            raise ValueError(
                f'the backbone {type(self.backbone).__name__} returned '
                f'{tuple(pred.shape)} for an input of {tuple(x.shape)}, but the truth '
                f'is {tuple(target.shape)}: (batch, frames, joints, 3). Check its '
                'num_frames and seq2seq, its number of joints, and the window of the '
                'dataset'
            )


def _centre(x: Tensor, frames: int) -> Tensor:
    """Cut (B, T, ...) to its middle frames."""
    start = (x.shape[1] - frames) // 2
    return x[:, start : start + frames]
