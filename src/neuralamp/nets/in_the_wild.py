"""The shapes that guitarists' captures have today: what benches measure and tests play beside random ones."""

from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray

_OCTAVES = tuple(2**k for k in range(10))
_SMALL = (_OCTAVES[:7], (*_OCTAVES[7:], *_OCTAVES))
_SWEEP = (1, 3, 7, 17, 41, 101, 239)


def _a2(channels: int) -> WaveNetConfig:
    """One array of 23 layers, two of them with long kernels, and a head that looks back."""
    sizes = (6,) * 14 + (15, 15) + (6,) * 7
    dilations = (*_SWEEP, *_SWEEP, 1, 13, *_SWEEP)
    return WaveNetConfig((LayerArray(channels, sizes, dilations, ("leaky_relu",) * 23, head_kernel_size=16),))


IN_THE_WILD: dict[str, WaveNetConfig | LstmConfig] = {
    "A1 standard": WaveNetConfig.stacked((16, 8), (_OCTAVES, _OCTAVES)),
    "A1 lite": WaveNetConfig.stacked((12, 6), _SMALL),
    "A1 feather": WaveNetConfig.stacked((8, 4), _SMALL),
    "A1 nano": WaveNetConfig.stacked((4, 2), _SMALL),
    "A2 full": _a2(8),
    "A2 lite": _a2(3),
    "LSTM 1x16": LstmConfig(16),
    "LSTM 2x16": LstmConfig(16, layers=2),
    "LSTM 1x40": LstmConfig(40),
    "GRU 1x16": LstmConfig(16, cell="gru"),
}
