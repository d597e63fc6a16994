"""JointFormer: attention between joints, a pose and its error after every layer.

S. Lutz et al., JointFormer: single-frame lifting transformer with error prediction and
refinement for 3D human pose estimation, ICPR 2022. Original:
https://github.com/seblutz/JointFormer, and https://github.com/wholebody3d/wholebody3d
for whole bodies; this module gives their numbers with the same weights. What differs:
attention runs in one fused kernel; the coarse network and its refinement are one
backbone, and the refinement is trained with the coarse network frozen, in eval mode and
without gradients. In the original the coarse network stays in train mode, its dropout
on, and the clipping of gradients acts on it instead of on the refinement. The other
embeddings of the original, which no published result uses, are left out.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES

HEAD_DIM = 64


def _network_settings(state: StateDict, prefix: str) -> dict[str, Any]:
    embed_dims = len(state[f'{prefix}layer_norm.weight'])
    first = f'{prefix}layer_stack.0.'
    return dict(
        embed_dims=embed_dims,
        ffn_dims=len(state[f'{first}pos_ffn.w_1.bias']),
        num_layers=sum(
            key.startswith(prefix) and key.endswith('.w_qs.weight') for key in state
        ),
        num_heads=len(state[f'{first}slf_attn.w_qs.weight']) // HEAD_DIM,
    )


def _settings(state: StateDict) -> dict[str, Any]:
    prefix = 'coarse.' if 'coarse.embedding.weight' in state else ''
    if state[f'{prefix}embedding.weight'].shape[1] != 2:
        raise ValueError(
            'these weights are those of the refinement alone; it needs those of the '
            'coarse network too, under the prefix coarse., its own under refinement.'
        )
    settings = _network_settings(state, prefix)
    pose_head = state[f'{prefix}intermediate_pred.0.2.bias']
    settings['num_joints'] = len(pose_head) // 3
    if 'refinement.embedding.weight' in state:
        settings['refinement'] = dict(
            **_network_settings(state, 'refinement.'),
            intermediate='refinement.intermediate_enc.0.weight' in state,
        )
    return settings


@BACKBONES.register_module()
class JointFormer(Backbone):
    """Predicts a pose and its error after each layer, from attention between joints.

    Its published loss is on the poses and errors of all layers and comes from
    ``forward_train``, under the name ``intermediate``: a config that wants that loss
    alone gives the pose-net no others, ``losses=dict()``.

    Training is in two steps, as published: first the coarse network, with
    ``refinement=None``; then its refinement, from the checkpoint of the first. The
    second trains nothing else: the coarse network is frozen and in eval mode.

    Args:
        num_joints: Joints J.
        embed_dims: Width C of the tokens, one for each joint.
        ffn_dims: Hidden channels of the feed-forward layers.
        num_layers: Layers.
        num_heads: Attention heads, of 64 channels each at any width.
        dropout: Drop probability of tokens and residual branches.
        head_dropout: Drop probability before each linear layer that predicts poses or
            errors.
        refinement: Arguments of the network that refines the last pose, from the 2D
            keypoints, that pose and its predicted error: ``embed_dims``, ``ffn_dims``,
            ``num_layers``, ``num_heads``, ``dropout``, ``head_dropout``, and whether it
            too predicts a pose after each layer, ``intermediate``. Human3.6M's is
            ``dict(embed_dims=256, ffn_dims=1024, num_layers=2, head_dropout=0.1)``,
            that of H3WB ``dict(embed_dims=128, intermediate=True)``. None: no
            refinement.
    """

    seq2seq = True
    any_length = True
    official = OfficialWeights(
        source='seblutz/JointFormer',
        renames=(
            (r'^(?!coarse\.|refinement\.)', 'coarse.'),
            (r'\.layer_norm\.', '.norm.'),
            (r'\.layer_stack\.', '.layers.'),
            (r'\.slf_attn\.w_([qkv])s\.', r'.attn.\1.'),
            (r'\.slf_attn\.fc\.', '.attn.proj.'),
            (r'\.slf_attn\.', '.attn.'),
            (r'\.pos_ffn\.w_([12])\.', r'.ffn.fc\1.'),
            (r'\.pos_ffn\.', '.ffn.'),
            (r'\.intermediate_pred\.', '.pose_heads.'),
            (r'\.intermediate_error\.', '.error_heads.'),
            (r'\.intermediate_enc\.', '.pose_embeddings.'),
            (r'\.decoder\.', '.pose_heads.0.'),
        ),
        settings=_settings,
        # A file of the refinement holds both networks.
        parts=(('jt_state_dict', 'coarse.'), ('state_dict', 'refinement.')),
    )

    def __init__(
        self,
        num_joints: int = 17,
        embed_dims: int = 64,
        ffn_dims: int = 512,
        num_layers: int = 4,
        num_heads: int = 8,
        dropout: float = 0.0,
        head_dropout: float = 0.2,
        refinement: dict | None = None,
    ) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.coarse = JointEncoder(
            2,
            num_joints,
            embed_dims=embed_dims,
            ffn_dims=ffn_dims,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
            head_dropout=head_dropout,
            errors=True,
        )
        self.refinement = None
        if refinement is not None:
            refinement = dict(intermediate=False) | refinement
            self.refinement = JointEncoder(2 + 3 + 3, num_joints, **refinement)
            self.coarse.requires_grad_(False)
            self.new_parts = ('refinement.',)

    def train(self, mode: bool = True) -> 'JointFormer':
        """Switch to train mode; a coarse network that is refined stays in eval mode.

        Args:
            mode: False for eval mode.
        """
        super().train(mode)
        if self.refinement is not None:
            self.coarse.eval()
        return self

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame: the last pose."""
        return self._predict(keypoints_2d)[0][-1]

    def forward_train(
        self, keypoints_2d: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        r"""Lift, with the published loss of all L layers as ``intermediate``.

        .. math:: \frac1L \sum_l \frac12 \left(\mathrm{MSE}(\hat y_l, y) +
            \mathrm{MSE}(\hat e_l, |\hat y_l - y|)\right)

        with no gradient through the true error. The refinement predicts no errors: its
        loss is the mean of the first terms, not halved.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.
            target: (B, T, J, 3), the truth, in metres.
        """
        poses, errors = self._predict(keypoints_2d, errors=self.refinement is None)
        losses = [F.mse_loss(pose, target) for pose in poses]
        if errors:
            losses = [
                (loss + F.mse_loss(error, (pose.detach() - target).abs())) / 2
                for loss, pose, error in zip(losses, poses, errors, strict=True)
            ]
        return poses[-1], dict(intermediate=torch.stack(losses).mean())

    def _predict(
        self, keypoints_2d: Tensor, errors: bool = False
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Predict poses, and errors if wanted, (B, T, J, 3) each, first layer first."""
        self.check_joints(keypoints_2d)
        x = keypoints_2d.flatten(0, 1)
        if self.refinement is None:
            outputs = self.coarse(x, range(self.coarse.num_layers) if errors else ())
        else:
            with torch.no_grad():
                poses, (error,) = self.coarse(x, (self.coarse.num_layers - 1,))
            outputs = self.refinement(torch.cat([x, poses[-1], error], -1))
        shape = (*keypoints_2d.shape[:3], 3)
        poses, errors = ([y.view(shape) for y in output] for output in outputs)
        return poses, errors


class JointEncoder(nn.Module):
    """Post-norm transformer over the joints, with heads over all of them.

    Args:
        in_dim: Channels of a joint.
        num_joints: Joints J.
        embed_dims: Width C of the tokens.
        ffn_dims: Hidden channels of the feed-forward layers.
        num_layers: Layers.
        num_heads: Attention heads of 64 channels each.
        dropout: Drop probability of tokens and residual branches.
        head_dropout: Drop probability in the heads.
        intermediate: Predict a pose after each layer and feed it to the next, rather
            than one at the end.
        errors: Predict the error of each intermediate pose too.
    """

    def __init__(
        self,
        in_dim: int,
        num_joints: int,
        embed_dims: int = 128,
        ffn_dims: int = 512,
        num_layers: int = 4,
        num_heads: int = 8,
        dropout: float = 0.0,
        head_dropout: float = 0.2,
        intermediate: bool = True,
        errors: bool = False,
    ) -> None:
        super().__init__()
        self.num_layers = num_layers
        flat, heads = num_joints * embed_dims, num_layers if intermediate else 1
        self.embedding = nn.Conv1d(in_dim, embed_dims, 1)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.layers = nn.ModuleList(
            JointLayer(embed_dims, ffn_dims, num_heads, dropout)
            for _ in range(num_layers)
        )
        self.pose_heads = nn.ModuleList(
            _head(flat, num_joints * 3, head_dropout) for _ in range(heads)
        )
        self.error_heads = nn.ModuleList(
            _head(flat, num_joints * 3, head_dropout) for _ in range(heads * errors)
        )
        self.pose_embeddings = nn.ModuleList(
            nn.Linear(num_joints * 3, flat) for _ in range(heads * intermediate)
        )
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        if intermediate:
            # Published, but nothing follows it: it can get no gradient.
            self.pose_embeddings[-1].requires_grad_(False)

    def forward(
        self, x: Tensor, error_layers: range | tuple[int, ...] = ()
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Map N poses ``x`` (N, J, in_dim) to 3D poses, and their errors.

        Args:
            x: The joints.
            error_layers: Layers whose errors are wanted.

        Returns:
            The poses, (N, J, 3) each, after every layer or after the last; the errors.
        """
        shape = (*x.shape[:2], 3)
        x = F.linear(x, self.embedding.weight[..., 0], self.embedding.bias)
        x = self.norm(self.dropout(x))
        poses, errors = [], []
        for i, layer in enumerate(self.layers):
            shortcut, x = x, layer(x)
            if self.pose_embeddings:
                flat = x.flatten(1)
                pose = self.pose_heads[i](flat)
                poses.append(pose.view(shape))
                if i in error_layers:
                    errors.append(self.error_heads[i](flat).view(shape))
                if i == self.num_layers - 1:
                    break
                x = x + self.pose_embeddings[i](pose).view_as(x)
            x = F.relu_(x + shortcut)
        if not self.pose_embeddings:
            poses.append(self.pose_heads[0](x.flatten(1)).view(shape))
        return poses, errors


class JointLayer(nn.Module):
    """Attention and feed-forward layer, a layer norm after each residual.

    Args:
        dim: Channels C.
        ffn_dim: Hidden channels of the feed-forward layer.
        num_heads: Attention heads of 64 channels each.
        dropout: Drop probability of each residual branch.
    """

    def __init__(self, dim: int, ffn_dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.attn = JointAttention(dim, num_heads, dropout)
        self.ffn = FeedForward(dim, ffn_dim, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map the tokens ``x`` (N, J, C) to the same shape."""
        return self.ffn(self.attn(x))


class JointAttention(nn.Module):
    """Post-norm self-attention whose heads are 64 wide at any width of the tokens.

    A tenth of the attention weights is dropped in training, whatever ``dropout``.

    Args:
        dim: Channels C.
        num_heads: Heads.
        dropout: Drop probability after the output projection.
    """

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attn_drop = 0.1
        inner = num_heads * HEAD_DIM
        self.q = nn.Linear(dim, inner, bias=False)
        self.k = nn.Linear(dim, inner, bias=False)
        self.v = nn.Linear(dim, inner, bias=False)
        self.proj = nn.Linear(inner, dim, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Let the J tokens of each pose in ``x`` (N, J, C) attend to each other."""
        # Scaling the weights of the queries is cheaper than scaling the queries.
        q, k, v = (
            F.linear(x, weight)
            .unflatten(-1, (self.num_heads, HEAD_DIM))
            .transpose(1, 2)
            for weight in (self.q.weight * HEAD_DIM**-0.5, self.k.weight, self.v.weight)
        )
        y = self._attend(q, k, v).transpose(1, 2).flatten(2)
        return self.norm(x + self.dropout(self.proj(y)))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.training and q.device.type == 'cpu':
            # No fused kernel drops weights on the CPU, and what replaces it there
            # takes more passes over the weights than these lines.
            weights = F.dropout((q @ k.transpose(-2, -1)).softmax(-1), self.attn_drop)
            return weights @ v
        dropout = self.attn_drop if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=1.0)


class FeedForward(nn.Module):
    """Post-norm MLP of two linear layers with a ReLU between.

    Args:
        dim: Channels C.
        hidden_dim: Channels between.
        dropout: Drop probability after it.
    """

    def __init__(self, dim: int, hidden_dim: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (..., C) to the same shape."""
        return self.norm(x + self.dropout(self.fc2(F.relu_(self.fc1(x)))))


def _head(in_dim: int, out_dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(in_dim), nn.Dropout(dropout), nn.Linear(in_dim, out_dim)
    )
