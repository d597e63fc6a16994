"""The pose-net: any backbone, its losses, its test-time flip."""

from collections.abc import Callable, Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from sealpose.geometry.flip import flip_pose
from sealpose.models.apart import frozen_statistics, own_random_stream
from sealpose.models.bone_length_prior import BoneLengthPrior
from sealpose.models.training_batch import TrainingBatch, centre, count_labelled
from sealpose.registry import BACKBONES, LOSSES, MODELS
from sealpose.skeletons import get_skeleton
from sealpose.skeletons.build import build_for_skeleton

EnergyFn = Callable[..., dict[str, Tensor]]
ConsistencyFn = Callable[[Tensor, Tensor], dict[str, Tensor]]


@MODELS.register_module()
class PoseLifter(BaseModel):
    """Lifts 2D keypoints to 3D joints with a backbone of any kind.

    A batch may hold windows without truth, which ``labelled`` says (see
    :class:`~sealpose.datasets.few_labels.FewLabels`). Losses then see the labelled
    windows alone, except those whose class says ``needs_truth = False``. What a loss
    is called with beside prediction, truth and skeleton, its class names in ``inputs``:
    ``keypoints_2d`` (B, T', J, 2) of the predicted frames, ``labelled`` (B,). The
    backbone predicts the windows without truth apart from the others, with random
    numbers of their own, and batch norm does not remember their statistics: if no loss
    uses them, a training is that without them, bit for bit.

    Args:
        backbone: Config of the backbone; skeleton and number of joints are filled in.
        skeleton: Name of the skeleton that the backbone predicts.
        losses: Name to config of each loss on the prediction; the first is usually
            ``pose``. A name here appears as ``loss_<name>`` in the log. Add explicit
            constraints with one more entry.
        losses_at_inference: Further losses, on what the pose-net would say at test
            time: one more prediction of the batch in eval mode, without dropout and
            with the running statistics of batch norm. Costs a second pass, which an
            energy at inference shares.
        bone_prior: Arguments of
            :class:`~sealpose.models.bone_length_prior.BoneLengthPrior`, which corrects
            bone lengths at test time; ``dict(share=0)`` only keeps, in training, what
            it needs. None leaves it out.
        flip_test: Average the prediction with the mirrored prediction of the mirrored
            input at test time.
        flip_prob: Share of training windows that are mirrored.
        augmentations: Configs of transforms that disturb the 2D keypoints in training:
            noise, missing joints and the like.

    Attributes:
        energy_fn: Called in training with the 2D keypoints (B, T', J, 2) of the
            predicted frames, the prediction and the truth (B, T', J, 3), with
            ``labelled`` (B,) where the batch has it, and with ``pose_loss``, the sum of
            the other losses; returns further losses by name. SEALHook sets it; None
            means none.
        consistency_fn: Called in training on the windows without truth, with their
            whole input before the augmentations (U, T, J, 2) and their prediction
            (U, T', J, 3); returns further losses by name. MeanTeacherHook sets it.
    """

    def __init__(
        self,
        backbone: dict,
        skeleton: str,
        losses: dict[str, dict],
        flip_test: bool = False,
        flip_prob: float = 0.0,
        augmentations: Sequence[dict] = (),
        losses_at_inference: dict[str, dict] | None = None,
        bone_prior: dict | None = None,
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
        self.losses = _build_losses(losses)
        self.losses_at_inference = _build_losses(losses_at_inference or {})
        _refuse_equal_names(self.losses, self.losses_at_inference)
        self.flip_test = flip_test
        self.bone_prior: BoneLengthPrior | None = None
        if bone_prior is not None:
            self.bone_prior = BoneLengthPrior(self.skeleton, **bone_prior)
        self.energy_fn: EnergyFn | None = None
        self.consistency_fn: ConsistencyFn | None = None
        self._batch: TrainingBatch | None = None

    def forward(
        self,
        keypoints_2d: Tensor,
        keypoints_3d: Tensor | None = None,
        frame_idx: Tensor | None = None,
        mode: str = 'tensor',
        labelled: Tensor | None = None,
        undisturbed_2d: Tensor | None = None,
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
            labelled: (B,) bool, windows that have truth; they come first. None means
                all.
            undisturbed_2d: ``keypoints_2d`` before the augmentations, if there are any.
        """
        if mode == 'tensor':
            return self.backbone(keypoints_2d)
        if mode == 'loss':
            return self._loss(keypoints_2d, keypoints_3d, labelled, undisturbed_2d)
        pred = self.lift(keypoints_2d)
        return [dict(keypoints_3d_pred=pred, frame_idx=frame_idx)]

    def lift(self, keypoints_2d: Tensor) -> Tensor:
        """Predict as at test time, with the flip and the bone lengths if they are on.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.

        Returns:
            (B, T', J, 3), metres, root-relative, camera axes.
        """
        if self.flip_test:
            mirror = self.skeleton.mirror
            both = torch.cat([keypoints_2d, flip_pose(keypoints_2d, mirror)])
            pred, mirrored = self.backbone(both).chunk(2)
            pred = (pred + flip_pose(mirrored, mirror)) / 2
        else:
            pred = self.backbone(keypoints_2d)
        return pred if self.bone_prior is None else self.bone_prior(pred)

    def predict_fresh(self, gradients: bool = False, thinning: int = 1) -> Tensor:
        """Predict the training batch once more, in eval mode.

        Only while ``energy_fn`` runs. The train mode is restored. A prediction of the
        whole batch with gradients is made once, however many ask for it.

        Args:
            gradients: Whether the pose-net can be trained through it.
            thinning: Predict every so many-th window.

        Returns:
            (ceil(B / thinning), T', J, 3), metres, root-relative, camera axes.
        """
        batch = self._current('predict_fresh')
        if batch.at_inference is not None:
            pred = batch.at_inference[::thinning]
            return pred if gradients else pred.detach()
        training = self.backbone.training
        self.backbone.eval()
        with torch.set_grad_enabled(gradients):
            pred = self.backbone(batch.keypoints_2d[::thinning])
        self.backbone.train(training)
        if gradients and thinning == 1:
            batch.at_inference = pred
        return pred

    def pose_loss(self, pred: Tensor, thinning: int = 1) -> Tensor:
        """Sum of all losses for another prediction of the training batch.

        Only while ``energy_fn`` runs. Losses of a backbone's own cannot be in it; where
        there are no others, it is the MPJPE in metres.

        Args:
            pred: (B, T', J, 3), metres, root-relative, camera axes.
            thinning: ``pred`` is of every so many-th window.
        """
        batch = self._current('pose_loss').thinned(thinning)
        values = {
            **batch.losses(self.losses, pred),
            **batch.losses(self.losses_at_inference, pred),
        }
        return sum(values.values()) if values else batch.mpjpe(pred)

    def _loss(
        self,
        keypoints_2d: Tensor,
        target: Tensor,
        labelled: Tensor | None,
        undisturbed_2d: Tensor | None,
    ) -> dict[str, Tensor]:
        count = len(target) if labelled is None else count_labelled(labelled)
        pred, losses = self._train_backbone(keypoints_2d, target, count)
        target = centre(target, pred.shape[1])
        self.check_prediction(keypoints_2d, pred, target)
        batch = TrainingBatch(keypoints_2d, target, self.skeleton, count, labelled)
        losses.update(batch.losses(self.losses, pred))
        if self.bone_prior is not None:
            self.bone_prior.observe(target[:count])
        self._batch = batch
        if self.losses_at_inference:
            again = self.predict_fresh(gradients=True)
            losses.update(batch.losses(self.losses_at_inference, again))
        if self.energy_fn is not None:
            mask = () if labelled is None else (labelled,)
            pose_loss = sum(losses.values())
            losses.update(
                self.energy_fn(batch.seen, pred, target, *mask, pose_loss=pose_loss)
            )
        self._batch = None
        if self.consistency_fn is not None and count < len(pred):
            clean = keypoints_2d if undisturbed_2d is None else undisturbed_2d
            losses.update(self.consistency_fn(clean[count:], pred[count:]))
        return losses

    def _current(self, method: str) -> TrainingBatch:
        if self._batch is None:
            raise RuntimeError(f'{method}() works only while energy_fn runs')
        return self._batch

    def _train_backbone(
        self, keypoints_2d: Tensor, target: Tensor, count: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Predict the ``count`` labelled windows, and apart from them the others."""
        known = keypoints_2d[:count]
        if hasattr(self.backbone, 'forward_train'):
            pred, losses = self.backbone.forward_train(known, target[:count])
        else:
            pred, losses = self.backbone(known), {}
        if count < len(keypoints_2d):
            with own_random_stream(pred.device), frozen_statistics(self.backbone):
                pred = torch.cat([pred, self.backbone(keypoints_2d[count:])])
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


def _build_losses(configs: dict[str, dict]) -> nn.ModuleDict:
    return nn.ModuleDict({name: LOSSES.build(loss) for name, loss in configs.items()})


def _refuse_equal_names(losses: nn.ModuleDict, others: nn.ModuleDict) -> None:
    """Each loss has one entry in the log."""
    twice = sorted(set(losses) & set(others))
    if twice:
        raise ValueError(
            f'`losses` and `losses_at_inference` of PoseLifter both name {twice}; give '
            'one of them another name'
        )
