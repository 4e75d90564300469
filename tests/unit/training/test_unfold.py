from __future__ import annotations

import torch

from alphacut_training import checkpoint
from alphacut_training.network import SMALL, U2Net
from alphacut_training.unfold import is_folded, unfold

from .conftest import BUNDLED


def test_unfolding_changes_nothing_that_the_network_computes() -> None:
    network = checkpoint.load(BUNDLED)
    images = torch.randn(3, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = network(images)[0]
        unfold(network, [images])
        assert torch.allclose(network(images)[0], before, atol=1e-3)


def test_an_unfolded_network_computes_in_training_what_it_does_afterwards() -> None:
    images = torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    differences = []
    for restored in (True, False):
        network = checkpoint.load(BUNDLED)
        if restored:
            unfold(network, [images])
        with torch.no_grad():
            apart = torch.sigmoid(network.eval()(images)[0]) - torch.sigmoid(network.train()(images)[0])
        differences.append(float(apart.abs().mean()))
    assert differences[0] < 0.01 < differences[1]


def test_a_network_knows_whether_it_is_folded() -> None:
    network = checkpoint.load(BUNDLED)
    assert is_folded(network)
    unfold(network, [torch.randn(1, 3, 64, 64)])
    assert not is_folded(network)
    assert not is_folded(_trained(U2Net(SMALL)))
    assert not is_folded(U2Net(SMALL))


def _trained(network: U2Net) -> U2Net:
    network.train()(torch.randn(2, 3, 64, 64))
    return network
