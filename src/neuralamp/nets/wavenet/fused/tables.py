"""What the learning kernels read beside the player's tables: the way back through every convolution, and where its sums grow.

The way back through a convolution is a convolution: with its taps in reverse and its matrices transposed it hears the gradient
of what it made, from frames to come. So it is a RING of its own, `channels` and `width` exchanged. Of the places,
..._adjoint is an index into the weights of the way back, ..._gradient counts vectors of sums; kept, stream and value count rows,
`first` the frame of the input from which on a signal is the module's. -1 where there is no such part.
"""

import numpy as np

from neuralamp.dsp.activation import parse
from neuralamp.dsp.rings import FIELDS, ring_size
from neuralamp.dsp.slopes import FROM_VALUE
from neuralamp.nets.packing import Row, ungrouped
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import PLACES, LayerArray
from neuralamp.nets.wavenet.tables import HEAD, LAYER, POST, Tables

SPAN = 256  # frames worked on at once: the longer, the fewer times all sums pass through the caches

ONE_BY_ONE = ("mixin", "residual", "head_1x1")
_FIELDS = [
    "weight_gradient", "bias_gradient", "first", "kept", "kept_conv", "keeps_value", "stream", "value",
    "slopes_gradient", "gate_slopes_gradient", "skip_first", "stream_first", "heard_first",
    "rechannel_adjoint", "rechannel_gradient",
    *(f"{name}_{what}" for name in ONE_BY_ONE for what in ("adjoint", "gradient", "bias_gradient")),
]  # fmt: skip
_FILMS = ("films_adjoint", "films_gradient", "film_biases_gradient")


def _row_type(*tables: np.dtype) -> np.dtype:
    """One kind of row for all tables, the player's and those of the way back: kernels are compiled for one kind only."""
    fields = {name: table.fields[name][0] for table in tables for name in table.names or () if table.fields}
    fields |= dict.fromkeys(_FIELDS, np.dtype(np.int64)) | dict.fromkeys(_FILMS, np.dtype((np.int64, (len(PLACES),))))
    # In reverse: numba would take rows that begin as the player's do for longer ones of those, and warn.
    return np.dtype(list(fields.items())[::-1])


ROW = _row_type(LAYER, HEAD, POST)


def rows_of(table: np.ndarray) -> np.ndarray:
    """A table of the player's with rows of the one kind."""
    rows = np.zeros(len(table), ROW)
    for name in table.dtype.names or ():
        rows[name] = table[name]
    # The player's shorter sums cost a tenth; what rounding adds here, training averages away.
    rows["conv"]["taps_in_sum"] = rows["conv"]["taps"]
    return rows


def _back_rows(rows: list[Row]) -> np.ndarray:
    """Rows of the way back; one of zeros where there are none."""
    table = np.zeros(max(1, len(rows)), ROW)
    for at, row in zip(table, rows, strict=False):
        for name, value in row.items():
            at[name] = tuple(value.values()) if isinstance(value, dict) else value
    return table


class LearningTables:
    """The tables of a net that learns, and which of its flat weights each packed number is.

    shapes         of the weights that lie end to end in the flat ones: all but those of a net inside.
    numbers        of each packed weight: its place in (0, flat weights ...); `constants` are added.
    back_numbers   the same of the weights of the way back.
    gradient_of    of each flat weight, the sum that is its gradient.
    sums           how many sums there are.
    """

    def __init__(self, config: WaveNetConfig):
        self.config = config
        self.shapes = {name: shape for name, shape in config.weights().items() if not name.startswith(tuple(config.inner))}
        self._numbered: dict[str, np.ndarray] = {name: np.zeros(shape, np.int64) for name, shape in config.weights().items()}
        count = 0
        for name, shape in self.shapes.items():
            self._numbered[name] = 1 + count + np.arange(np.prod(shape)).reshape(shape)
            count += int(np.prod(shape))
        self._pack_forward()
        self.gradient_of = np.zeros(count, np.int64)
        self.sums = self.ring_floats = self.kept_rows = self.stream_rows = self.value_rows = self._back_count = 0
        self._back: list[np.ndarray] = []
        self._zeros = self._lay(np.zeros(self.forward.widest, np.int64))
        self.head_scale = self._lay(self._numbered["head_scale"])
        self.head_scale_gradient = self._sums(self._numbered["head_scale"])
        self._walk()
        self.back_numbers = np.concatenate(self._back)

    def _pack_forward(self) -> None:
        """The player's tables, packed twice with numbered weights: what does not change its sign is no weight."""
        up, down = (
            Tables(self.config, {name: (sign * number).astype(np.float32) for name, number in self._numbered.items()}, SPAN)
            for sign in (1, -1)
        )
        weights = up.weights == -down.weights
        self.forward = up
        self.numbers = np.where(weights, up.weights, 0.0).astype(np.int64)
        self.constants = np.where(weights, np.float32(0.0), up.weights)

    def _walk(self) -> None:
        """All rows, in the order in which the sound passes."""
        layers: list[Row] = []
        heads: list[Row] = []
        past = head_first = 0  # how far back the stream and the head hear by now
        for a, array in enumerate(self.config.arrays):
            name, stream_first = f"arrays.{a}", past
            for i in range(array.layers):
                past += (array.kernel_sizes[i] - 1) * array.dilations[i]
                layers.append(self._layer(f"{name}.layers.{i}", array, i) | {"first": past})
            skip_first = max(head_first, past)
            head_first = skip_first + array.head_past_frames
            heads.append(
                self._convolution(f"{name}.head", array.head_dilation)
                | {"kept": self._keep(array.skip_channels), "first": head_first, "skip_first": skip_first}
                | {"stream_first": stream_first, "stream": self._stream(array.channels)}
                | {"rechannel_adjoint": self._adjoint(f"{name}.rechannel.weight")}
                | {"rechannel_gradient": self._gradient(f"{name}.rechannel.weight")}
            )
        self.kept_head = self._keep(self.config.arrays[-1].head_channels)
        posts: list[Row] = []
        for i, (width, _) in enumerate(self.config.post_widths):
            row = self._convolution(f"post_head.{i}.conv", 1) | {"kept": self._keep(width), "heard_first": head_first}
            head_first += self.config.post_head[i].kernel_size - 1
            slopes = self._vector_gradient(f"post_head.{i}.activation.slopes")
            posts.append(row | {"first": head_first, "slopes_gradient": slopes})
        self.layers, self.heads, self.posts = _back_rows(layers), _back_rows(heads), _back_rows(posts)

    def _layer(self, name: str, array: LayerArray, i: int) -> Row:
        films = array.films_of(i)
        code = parse(array.activations[i]).code
        keeps_value = array.gatings[i] == "none" and code in FROM_VALUE and not {"activation_in", "activation_out"} & set(films)
        width = array.conv_channels(i)
        row = (
            self._convolution(f"{name}.conv", array.dilations[i], array.conv_groups)
            | {"kept": self._keep(width), "kept_conv": self._keep(width) if "conv_out" in films else -1}
            | {"keeps_value": int(keeps_value), "stream": self._stream(array.channels), "value": self._value(width)}
            | {"slopes_gradient": self._vector_gradient(f"{name}.activation.slopes")}
            | {"gate_slopes_gradient": self._vector_gradient(f"{name}.gate_activation.slopes")}
        )
        for part, weight, groups in (
            ("mixin", "mixin", array.mixin_groups),
            ("residual", "residual_1x1", array.residual_groups),
            ("head_1x1", "head_1x1", array.head_1x1_groups),
        ):
            row[f"{part}_adjoint"] = self._adjoint(f"{name}.{weight}.weight", groups)
            row[f"{part}_gradient"] = self._gradient(f"{name}.{weight}.weight", groups)
            row[f"{part}_bias_gradient"] = self._vector_gradient(f"{name}.{weight}.bias")
        for field in _FILMS:
            row[field] = [-1] * len(PLACES)
        for place, film in films.items():
            k, weight = PLACES.index(place), f"{name}.films.{place}"
            row["films_adjoint"][k] = self._adjoint(f"{weight}.weight", film.groups)
            row["films_gradient"][k] = self._gradient(f"{weight}.weight", film.groups)
            row["film_biases_gradient"][k] = self._vector_gradient(f"{weight}.bias")
        return row

    def _convolution(self, name: str, dilation: int, groups: int = 1) -> Row:
        """The RING of the way back through a convolution, and where its gradients grow."""
        made, heard, taps = self._full(f"{name}.weight", groups).shape
        ring_frames, stride = ring_size((taps - 1) * dilation, SPAN)
        offset, self.ring_floats = self.ring_floats, self.ring_floats + made * stride
        adjoint = self._adjoint(f"{name}.weight", groups)
        values = (offset, 0, made, ring_frames, 4 * stride, taps, dilation, heard, adjoint, self._zeros, taps)
        return {
            "conv": dict(zip(FIELDS, values, strict=True)),
            "weight_gradient": self._gradient(f"{name}.weight", groups),
            "bias_gradient": self._vector_gradient(f"{name}.bias"),
        }

    def _full(self, name: str, groups: int) -> np.ndarray:
        """The numbers of a convolution's weights as the full matrix (out, in, taps), 0 where groups are deaf to each other."""
        return ungrouped(self._numbered[name], groups)

    def _lay(self, numbers: np.ndarray) -> int:
        place, self._back_count = self._back_count, self._back_count + numbers.size
        self._back.append(np.ravel(numbers))
        return place

    def _adjoint(self, name: str, groups: int = 1) -> int:
        """A convolution's weight for the way back: (taps, out, in), the newest first."""
        if name not in self.shapes:
            return -1
        return self._lay(self._full(name, groups)[:, :, ::-1].transpose(2, 0, 1))

    def _gradient(self, name: str, groups: int = 1) -> int:
        """Sums for a convolution's weight: (taps, out, in)."""
        return self._sums(self._full(name, groups).transpose(2, 0, 1)) if name in self.shapes else -1

    def _vector_gradient(self, name: str) -> int:
        return self._sums(self._numbered[name]) if name in self.shapes else -1

    def _sums(self, numbers: np.ndarray) -> int:
        place, self.sums = self.sums, self.sums + numbers.size
        real = np.flatnonzero(numbers)
        self.gradient_of[np.ravel(numbers)[real] - 1] = place + real
        return place

    def _keep(self, rows: int) -> int:
        place, self.kept_rows = self.kept_rows, self.kept_rows + rows
        return place

    def _stream(self, rows: int) -> int:
        place, self.stream_rows = self.stream_rows, self.stream_rows + rows
        return place

    def _value(self, rows: int) -> int:
        place, self.value_rows = self.value_rows, self.value_rows + rows
        return place
