"""The way forward: one segment, tile by tile through all layers, keeping what the way back cannot make from its tile alone.

Each layer keeps what its nonlinearity was given (or what it gave, where the slope is told by that), each array its skip sum.
Tiles begin so that the last one is whole; a layer plays no tile of which the module has no frame.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, float_at, floats_at, flush_denormals, inlined, kernel, set_float_mode
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rings import convolve, go_to, newest, repeat_start
from neuralamp.dsp.rows import NOTHING, copy_rows, matrix, scale
from neuralamp.nets.wavenet.fused.tables import ROW, SPAN
from neuralamp.nets.wavenet.parts import (
    CONV_IN,
    CONV_OUT,
    add_skip,
    convolve_layer,
    mix_apart,
    mixes_apart,
    modulate,
    pass_on,
    shape,
)

SPACES = (
    "heard", "condition", "modulated", "stream", "mixed", "skip", "out", "film", "film_slopes",
    "d_out", "d_skip", "d_stream", "d_value", "d_z", "d_x", "d_condition", "first", "second", "raw", "bent", "work",
)  # fmt: skip
"""Work spaces of as many rows as anything may need; the two of modulations of twice as many."""

NET = np.dtype(
    [
        (name, np.int64)
        for name in (
            # what one worker has
            "layers", "heads", "posts", "layer_backs", "head_backs", "post_backs", "layer_count", "head_count", "post_count",
            "inputs", "conditions", "conditioned", "outputs", "frames", "vectors", "stride", "kept_rows", "kept_head",
            "head_scale", "head_scale_gradient", "sums", "rings", "ring_floats", "back_rings", "back_ring_floats",
            "streams", "values", "gradients", *SPACES,
            # what a step has
            "weights", "back_weights", "item_frames", "out_frames", "pad", "tiles", "wants_input", "wants_condition",
            # what a segment has
            "x", "c", "y", "kept", "dy", "dx", "dc", "folded",
            # where it stands
            "frame", "kept_tile", "z",
        )
    ]
)  # fmt: skip


@inlined
def rows_at(address, count):
    """A table."""
    return carray(as_pointer(address), count, ROW)


@inlined
def tables_of(net):
    """The player's tables and those of the way back: layers, heads, posts, and the same again."""
    layers, layer_backs = rows_at(net.layers, net.layer_count), rows_at(net.layer_backs, net.layer_count)
    heads, head_backs = rows_at(net.heads, net.head_count), rows_at(net.head_backs, net.head_count)
    posts, post_backs = rows_at(net.posts, max(net.post_count, 1)), rows_at(net.post_backs, max(net.post_count, 1))
    return layers, heads, posts, layer_backs, head_backs, post_backs


@kernel
def take_tile(source, rows, source_frames, frame, y, stride):
    """The tile that begins at a frame of rows of `source_frames`; zeros in front of their first frame."""
    before = min(max(0, -frame), SPAN)
    for c in range(rows):
        tile, row = floats_at(y + stride * c, SPAN), floats_at(source + 4 * source_frames * c, source_frames)
        tile[:before] = np.float32(0.0)
        tile[before:] = row[max(frame, 0) : max(frame + SPAN, 0)]


@inlined
def hear(net, tile):
    """Go to a tile: its frame, what is kept of it, what is heard in it."""
    net.frame = tile * SPAN
    net.kept_tile = net.kept + net.stride * net.kept_rows * tile
    take_tile(net.x, net.inputs, net.item_frames, net.frame - net.pad, net.heard, net.stride)
    if net.conditioned:
        take_tile(net.c, net.conditions, net.item_frames, net.frame - net.pad, net.condition, net.stride)


@inlined
def active(net, first):
    """Whether the module has a frame of this tile, of a signal that it has from frame `first` of its input on."""
    return net.frame + SPAN > net.pad + first


@inlined
def find_value(layer, back, net, shaped):
    """Let z be what the nonlinearity gives in this tile: where it lies, or made anew from what is kept."""
    net.z = net.kept_tile + net.stride * back.kept
    if back.keeps_value and shaped:
        return
    if not back.keeps_value:
        kept = net.z
        net.z = net.values + net.stride * back.value
        copy_rows(kept, net.stride, net.z, net.stride, layer.conv.width, SPAN)
    shape(layer, net)


@kernel
def forward_array(head, layers, backs, net, before, goes_on):
    """One layer array on one tile; False where the module has nothing of it yet."""
    end = head.first_layer + head.layers
    layer = layers[head.first_layer]
    go_to(layer.conv, net.frame)
    x, x_stride = newest(layer.conv), layer.conv.stride
    rechannel, no_bias = net.weights + 4 * head.rechannel, net.weights + 4 * head.rechannel_bias
    width, count = layer.conv.channels, head.stream_channels
    matrix(x, x_stride, NOTHING, NOTHING, rechannel, no_bias, width, before, net.stride, count, net.vectors)
    for i in range(head.first_layer, end):
        layer, back = layers[i], backs[i]
        if layer.films[CONV_IN] >= 0:
            copy_rows(x, x_stride, net.stream, net.stride, layer.conv.channels, SPAN)
            modulate(layer, CONV_IN, net, x, x_stride)
            x, x_stride = net.stream, net.stride
        repeat_start(layer.conv, SPAN)
        if not active(net, back.first):
            return False
        net.z = net.kept_tile + net.stride * back.kept
        convolve_layer(layer, net)
        if layer.films[CONV_OUT] >= 0:
            copy_rows(net.z, net.stride, net.kept_tile + net.stride * back.kept_conv, net.stride, layer.conv.width, SPAN)
        if mixes_apart(layer):
            mix_apart(layer, net)
        find_value(layer, back, net, False)
        add_skip(layer, net, head)
        if i + 1 < end:
            following = layers[i + 1].conv
            go_to(following, net.frame)
            y, y_stride = newest(following), following.stride
        elif goes_on:
            y, y_stride = net.stream, net.stride
        else:
            break
        pass_on(layer, net, x, x_stride, y, y_stride)
        x, x_stride = y, y_stride
    return True


@inlined
def put_in_ring(conv, net, x):
    """The rows at x become this tile of what a convolution hears."""
    go_to(conv, net.frame)
    copy_rows(x, net.stride, newest(conv), conv.stride, conv.channels, SPAN)
    repeat_start(conv, SPAN)


@inlined
def convolve_past(conv, net, x, y):
    """The rows at y = a convolution of the rows at x and of their past."""
    put_in_ring(conv, net, x)
    convolve(y, net.stride, conv, net.weights, NOTHING, NOTHING, NOTHING, NOTHING, net.vectors)


@inlined
def forward_tile(net):
    """The rows of `out` = what the net makes of this tile; nothing where the module has nothing yet."""
    layers, heads, posts, layer_backs, head_backs, post_backs = tables_of(net)
    before = net.heard
    for a in range(net.head_count):
        head, back = heads[a], head_backs[a]
        net.skip = net.kept_tile + net.stride * back.kept
        if a > 0 and active(net, head_backs[a - 1].first):  # the skip sum starts from the head of the array before
            copy_rows(net.out, net.stride, net.skip, net.stride, head.conv.channels, SPAN)
        else:
            floats_at(net.skip, head.conv.channels * SPAN)[:] = np.float32(0.0)
        if not forward_array(head, layers, layer_backs, net, before, a + 1 < net.head_count):
            return
        convolve_past(head.conv, net, net.skip, net.out)
        before = net.stream
    width = heads[net.head_count - 1].conv.width
    copy_rows(net.out, net.stride, net.kept_tile + net.stride * net.kept_head, net.stride, width, SPAN)
    scale(float_at(net.back_weights + 4 * net.head_scale), net.out, width * net.vectors)
    for i in range(net.post_count):
        post, kept = posts[i], net.kept_tile + net.stride * post_backs[i].kept
        copy_rows(net.out, net.stride, kept, net.stride, post.conv.channels, SPAN)
        numbers = net.weights + 4 * post.activation_numbers
        activate_rows(post.activation, numbers, 4 * post.activation_step, kept, net.out, post.conv.channels, net.vectors)
        convolve_past(post.conv, net, net.out, net.out)


@kernel
def forward(address):
    """One segment through the net of a NET record."""
    mode = flush_denormals()
    net = carray(as_pointer(address), 1, NET)[0]
    floats_at(net.rings, net.ring_floats)[:] = np.float32(0.0)
    for tile in range(net.tiles):
        hear(net, tile)
        forward_tile(net)
        start = net.frame - (net.tiles * SPAN - net.out_frames)  # of this tile in the answer
        if start + SPAN > 0:
            for o in range(net.outputs):
                row = floats_at(net.y + 4 * net.out_frames * o, net.out_frames)
                row[max(start, 0) : start + SPAN] = floats_at(net.out + net.stride * o, SPAN)[max(-start, 0) :]
    set_float_mode(mode)
