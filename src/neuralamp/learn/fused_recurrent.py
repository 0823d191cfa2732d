"""The recurrent net's kernels for a CPU as a function of torch: any loss, any optimiser."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.lstm.fused import FusedLstm


def fused_recurrent(module: nn.Module, config: LstmConfig, threads: int) -> Callable[[Tensor, int], Tensor]:
    """The module, to be called as it is, module(x, warm_up) -> y, several times cheaper where it learns in float32 on a CPU.

    Anywhere else (on a GPU, in another precision, where no gradient is wanted) the module itself answers. Gradients are torch's
    within the rounding of float32, and do not depend on the number of threads. Every 16 sequences on AVX-512, 8 on AVX2, 4
    elsewhere are one thread's: a batch that is no multiple of that times the threads leaves some of them waiting.
    """
    kernels = FusedLstm(config)

    def call(x: Tensor, warm_up: int) -> Tensor:
        parameters = dict(module.named_parameters())
        if not torch.is_grad_enabled() or not all(_plain(tensor) for tensor in (x, *parameters.values())):
            return module(x, warm_up)
        y = _Fused.apply(kernels, threads, warm_up, tuple(parameters), x, *parameters.values())
        return y if config.skip == 0.0 else y + config.skip * x[:, :1, warm_up:]

    return call


def _plain(tensor: Tensor) -> bool:
    """Whether the kernels can take it."""
    return tensor.dtype == torch.float32 and tensor.device.type == "cpu"


class _Fused(Function):
    @staticmethod
    def forward(
        ctx: Any, kernels: FusedLstm, threads: int, warm_up: int, names: Sequence[str], x: Tensor, *parameters: Tensor
    ) -> Tensor:
        weights = {name: parameter.detach().numpy() for name, parameter in zip(names, parameters, strict=True)}
        y, ctx.tape = kernels.forward(weights, x.detach().contiguous().numpy(), warm_up, threads)
        ctx.kernels, ctx.threads, ctx.names = kernels, threads, names
        return torch.from_numpy(y)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        along_x = ctx.needs_input_grad[4]
        gradients, dx = ctx.kernels.backward(ctx.tape, dy.contiguous().numpy(), along_x, ctx.threads)
        along_weights = [torch.from_numpy(gradients[name]) if name in gradients else None for name in ctx.names]
        return None, None, None, None, torch.from_numpy(dx) if along_x else None, *along_weights
