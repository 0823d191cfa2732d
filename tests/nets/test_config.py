"""A net's shape: what holds together is built, what does not is refused before any memory is asked for."""

import numpy as np
import pytest

from neuralamp.errors import NetError
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.slimmable.config import Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import Film, LayerArray, PostLayer
from neuralamp.nets.weights import check_weights, count, in_order

LAYER = {"kernel_sizes": 3, "dilations": 1, "activations": "tanh"}


def layers(**changes) -> LayerArray:
    fields = {"channels": 2} | {name: (value,) for name, value in LAYER.items()} | changes
    return LayerArray(**fields)


def sequential(*layers: SequentialLayer, **changes) -> SequentialConfig:
    return SequentialConfig(layers, **changes)


def deep(count: int, **changes) -> LayerArray:
    return layers(**{name: (value,) * count for name, value in LAYER.items()} | changes)


def slimmable(net, count: int) -> SlimmableConfig:
    return SlimmableConfig(tuple(Part((k + 1) / count, net) for k in range(count)))


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"dilations": ()}, "one kernel size, dilation"),
        ({"dilations": (1, 2)}, "one kernel size, dilation"),
        ({"kernel_sizes": (0,)}, "1 or more"),
        ({"channels": -1}, "1 or more"),
        ({"activations": ("tan",)}, "tan is unknown; known are linear, tanh"),
        ({"gatings": ("maybe",)}, "maybe is unknown; known are none, gated, blended"),
    ],
)
def test_a_layer_array_that_does_not_hold_together_is_refused(changes, says):
    with pytest.raises(NetError, match=says):
        layers(**changes)


@pytest.mark.parametrize(
    "build, says",
    [
        (lambda: WaveNetConfig(()), "at least one layer array"),
        (lambda: WaveNetConfig((layers(head_channels=3), layers())), "cannot start a skip sum of 2"),
        (lambda: WaveNetConfig((layers(), layers(films=(Film("everywhere"),)))), "places are conv_in"),
        (lambda: WaveNetConfig((layers(films=(Film("conv_out"), Film("conv_in"))),)), "in this order: conv_in"),
        (lambda: WaveNetConfig((layers(conv_groups=3),)), "cannot be parted into 3 groups"),
        (lambda: WaveNetConfig((layers(),), condition=LstmConfig(4, knobs=("gain",))), "condition net hears 2 rows"),
        (lambda: WaveNetConfig((layers(channels=10**4),)), "weights; 2500000 is the most"),
        (lambda: WaveNetConfig((layers(dilations=(10**12,)),)), "is the most that is possible"),
        (lambda: WaveNetConfig((layers(channels=10**4000),)), "is the most that is possible"),
        (lambda: WaveNetConfig((layers(channels=3, dilations=(5 * 10**6,)),)), "have to remember 30002816 numbers"),
        (lambda: WaveNetConfig((deep(257),)), "257 layers; 256 is the most"),
        (lambda: WaveNetConfig((deep(4, channels=100, dilations=(20_000,) * 4),)), r"to come to rest \(160000 frames with 16"),
        (lambda: WaveNetConfig((layers(head_kernel_size=10**12),)), "is the most that is possible"),
        # What its weights do not show: groups are played as full matrices, a tile of frames is worked on in rows.
        (
            lambda: WaveNetConfig((layers(channels=500, conv_groups=500, residual_groups=500, dilations=(15_000,)),)),
            r"3.+e\+10 multiplications to come to rest \(30000 frames with 4",
        ),
        (lambda: WaveNetConfig((layers(channels=400_000, bottleneck=1, residual_1x1=False),)), "have to remember 1"),
        (lambda: WaveNetConfig((layers(),), post_head=(PostLayer(1, 1, "tanh"),) * 256), "257 layers; 256 is the most"),
        (lambda: slimmable(WaveNetConfig((layers(dilations=(1_500_000,)),)), 8), "have to remember 48"),
        (lambda: slimmable(WaveNetConfig((deep(80),)), 64), "matrices and biases; 20000 is the most"),
        (lambda: slimmable(LinearConfig(2**18), 2), "to come to rest"),
        (lambda: SequentialConfig(()), "1 to 256 are"),
        (lambda: sequential(SequentialLayer("dense", 1)), "known are conv, pointwise, lstm, gru"),
        (lambda: sequential(SequentialLayer("conv", 0)), "1 or more"),
        (lambda: sequential(SequentialLayer("lstm", 4, kernel_size=3)), "belong to convolutions"),
        (lambda: sequential(SequentialLayer("conv", 4, activation="softmin")), "softmin is unknown"),
        (lambda: sequential(SequentialLayer("pointwise", 2)), "2 channels hears 1"),
        (lambda: sequential(SequentialLayer("conv", 4), SequentialLayer("conv", 4, groups=3)), "parted into 3 groups"),
        (lambda: sequential(SequentialLayer("conv", 4, 3, 10**7)), "16777216 is the most"),
        (lambda: sequential(SequentialLayer("conv", 10**6)), "16777216 is the most"),
        (lambda: sequential(*[SequentialLayer("conv", 5000)] * 2), "2500000 is the most"),
        (lambda: sequential(SequentialLayer("conv", 5000), SequentialLayer("conv", 5000, groups=5000)), "times a frame"),
        (
            lambda: sequential(SequentialLayer("conv", 1, 2, 3 * 10**6), *[SequentialLayer("pointwise", 1)] * 250),
            r"1.5e\+10 multiplications to come to rest",
        ),
        (lambda: sequential(SequentialLayer("conv", 1, 10**4000)), "at most 16777216"),
        (lambda: sequential(SequentialLayer("conv", 1), skip=float("inf")), "a skip of inf"),
        (lambda: LinearConfig(0), "1 to 262144 are"),
        (lambda: LinearConfig(2**21), "1 to 262144 are"),
        (lambda: LstmConfig(cell="rnn"), "known are lstm, gru"),
        (lambda: LstmConfig(hidden=0), "1 to 16 layers"),
        (lambda: LstmConfig(outputs=0), "1 output or more"),
        (lambda: LstmConfig(skip=float("nan")), "a skip of nan"),
        (lambda: LstmConfig(layers=17), "1 to 16 layers"),
        (lambda: LstmConfig(hidden=10**4000), "2500000 is the most that is possible"),
        (lambda: LstmConfig(hidden=800), "2500000 is the most that is possible"),
        (lambda: LstmConfig(hidden=400), "come to rest"),
    ],
)
def test_a_net_that_cannot_be_is_refused(build, says):
    with pytest.raises(NetError, match=says):
        build()


def weights_of(config) -> dict[str, np.ndarray]:
    return {name: np.ones(shape, np.float32) for name, shape in config.weights().items()}


def test_the_count_is_the_sum_of_all_shapes():
    assert count({"a": (2, 3), "b": (4,)}) == 10


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda weights: weights.pop("head.bias"), "head.bias is missing"),
        (lambda weights: weights.update(extra=np.ones(1, np.float32)), "extra is not part"),
        (lambda weights: weights.update({"head.bias": np.ones(2, np.float32)}), r"has shape \(2,\)"),
        (lambda weights: weights.update({"head.bias": np.ones(1)}), "float64; it should be float32"),
        (lambda weights: weights.update({"head.bias": np.full(1, np.nan, np.float32)}), "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(spoil, says):
    config = LstmConfig(2)
    weights = weights_of(config)
    check_weights(config.weights(), weights)
    spoil(weights)
    with pytest.raises(NetError, match=says):
        check_weights(config.weights(), weights)


def test_denormal_weights_are_flushed_at_load():
    config = LstmConfig(1)
    weights = weights_of(config) | {"head.bias": np.full(1, 1e-40, np.float32)}
    assert dict(zip(config.weights(), in_order(config.weights(), weights), strict=True))["head.bias"] == 0.0
