import pytest
import torch

from sealpose.models.layers import (
    Attention,
    DropPath,
    LearnableGraphConv,
    TransformerBlock,
    drop_path_rates,
    neighbour_mean_adjacency,
)


def test_attention_is_softmax_of_scaled_products_head_by_head():
    torch.manual_seed(0)
    attention = Attention(12, num_heads=3).double()
    x = torch.randn(2, 5, 12).double()
    query, key, value = attention.qkv.weight.split(12)
    query_bias, key_bias, value_bias = attention.qkv.bias.split(12)
    out = torch.zeros(2, 5, 12).double()
    for b in range(2):
        q, k = x[b] @ query.T + query_bias, x[b] @ key.T + key_bias
        v = x[b] @ value.T + value_bias
        for head in (slice(0, 4), slice(4, 8), slice(8, 12)):
            weights = torch.exp(q[:, head] @ k[:, head].T / 2)  # 2 = sqrt(12 / 3)
            weights /= weights.sum(1, keepdim=True)
            out[b, :, head] = weights @ v[:, head]
    expected = out @ attention.proj.weight.T + attention.proj.bias
    torch.testing.assert_close(attention(x), expected)


def test_attention_drops_only_in_training():
    torch.manual_seed(0)
    attention = Attention(8, num_heads=2, attn_drop=0.5, proj_drop=0.5)
    x = torch.randn(1, 6, 8)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))


def test_attention_refuses_heads_that_do_not_divide_the_channels():
    with pytest.raises(ValueError, match='10 channels cannot be shared by 4 heads'):
        Attention(10, num_heads=4)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 3)
    out = DropPath(0.25)(x)
    dropped = (out == 0).flatten(1).all(1)
    kept = torch.isclose(out, torch.tensor(4 / 3)).flatten(1).all(1)
    assert (dropped | kept).all()
    assert dropped.float().mean() == pytest.approx(0.25, abs=0.03)


def test_drop_path_adds_what_it_leaves_of_the_branch():
    x, branch = torch.randn(50, 3), torch.randn(50, 3)
    drop_path = DropPath(0.5)
    torch.manual_seed(0)
    expected = x + drop_path(branch)
    torch.manual_seed(0)
    torch.testing.assert_close(drop_path.add(x, branch), expected)
    assert torch.equal(drop_path.eval().add(x, branch), x + branch)


def test_drop_path_rates_grow_linearly_from_zero():
    assert drop_path_rates(0.3, 4) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert drop_path_rates(0.3, 1) == [0]


def test_block_is_the_identity_when_its_branches_are_silent():
    block = TransformerBlock(8, num_heads=2)
    for layer in (block.attn.proj, block.mlp.fc2):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    x = torch.randn(2, 3, 8)
    assert torch.equal(block(x), x)


def test_adjacency_gives_each_node_itself_and_the_mean_of_its_neighbours():
    chain = neighbour_mean_adjacency(3, [(0, 1), (2, 1)])
    assert chain.tolist() == [[1, 1, 0], [0.5, 1, 0.5], [0, 1, 1]]
    assert neighbour_mean_adjacency(1, []).tolist() == [[1]]


def test_graph_conv_follows_its_formula():
    torch.manual_seed(0)
    nodes, wide, out = 4, 3, 5
    conv = LearnableGraphConv(wide, out, torch.rand(nodes, nodes)).double()
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(2, nodes, wide).double()
    graph = conv.adjacency + conv.learned_adjacency
    expected = conv.bias.repeat(2, nodes, 1)
    for b in range(2):
        for i in range(nodes):
            for j in range(nodes):
                link = (graph[i, j] + graph[j, i]) / 2
                weight = conv.weight[0 if i == j else 1]
                expected[b, i] += link * conv.modulation[j] * (x[b, j] @ weight)
    torch.testing.assert_close(conv(x), expected)


def test_fixed_graph_is_not_stored_with_the_weights():
    conv = LearnableGraphConv(2, 3, torch.eye(4))
    assert list(conv.state_dict()) == [
        'weight',
        'modulation',
        'learned_adjacency',
        'bias',
    ]
