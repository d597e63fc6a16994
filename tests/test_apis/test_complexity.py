import torch
import torch.nn.functional as F
from torch import nn

from sealpose.apis.complexity import measure_complexity
from sealpose.apis.timing import interleaved_times, median_ratio


class Attends(nn.Module):
    """One linear layer and one attention, of which every operation can be counted."""

    num_frames, seq2seq = 4, True

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(10, 15)
        self.frozen = nn.Parameter(torch.zeros(7), requires_grad=False)

    def forward(self, x):
        y = self.layer(x.flatten(2))
        y = F.scaled_dot_product_attention(y, y, y)
        return y.unflatten(2, (5, 3))


def test_parameters_and_flops_by_hand():
    model = Attends()
    cost = measure_complexity(model, num_joints=5)
    assert cost.parameters == 10 * 15 + 15 + 7
    linear = 2 * 4 * 10 * 15
    attention = 2 * (2 * 4 * 4 * 15)
    assert cost.flops == linear + attention
    assert cost.flops_per_frame == (linear + attention) / 4
    assert model.training


def test_timings_take_turns_and_compare_round_by_round():
    order = []
    calls = {name: (lambda n=name: order.append(n)) for name in ('a', 'b')}
    times = interleaved_times(calls, repeats=3, device=torch.device('cpu'), warmup=1)
    assert order == ['a', 'b', 'a', 'b', 'b', 'a', 'a', 'b']
    assert [len(t) for t in times.values()] == [3, 3]
    assert median_ratio([2.0, 3.0, 50.0], [1.0, 1.0, 5.0]) == 3.0
