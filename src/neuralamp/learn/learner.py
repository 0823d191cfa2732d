"""The learner: a net, its optimiser and the pair they draw from. One step makes the net a little more like the amp."""

import math

import torch
from torch import nn

from neuralamp.learn.fused import fused
from neuralamp.learn.losses import LossWeights
from neuralamp.learn.optimiser import Muon
from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import Recipe
from neuralamp.learn.segments import Segments
from neuralamp.nets import architecture_of
from neuralamp.nets.weights import Weights

LEAST_RATE = 1e-3  # of the peak: where the cycle begins and ends


class Learner:
    """What a recipe says, made of a pair and a seed; the same seed makes the same steps.

    segments  draws a batch for each step; answer  plays the net's part, loss_of  judges it.
    """

    def __init__(self, pair: Pair, recipe: Recipe, seed: int, device: torch.device):
        self.recipe = recipe
        self.segments = Segments(pair, recipe, seed, device)
        self.loss_of = LossWeights(recipe.loss_esr, recipe.loss_esr_preemphasis, recipe.loss_dc, recipe.loss_mrstft)
        torch.manual_seed(seed)
        self.net: nn.Module = architecture_of(recipe.config).module(recipe.config).to(device)
        self.answer = fused(self.net)
        self.optimiser: torch.optim.Optimizer
        if recipe.optimiser == "adam":
            self.optimiser = torch.optim.Adam(self.net.parameters(), fused=True)
        else:
            self.optimiser = Muon(self.net.parameters())

    def step(self, number: int, rate: float) -> float:
        """Step `number`, from 0, of the optimiser at this learning rate; the loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        di, amped = self.segments(number)
        loss = self.loss_of(self.answer(di, self.recipe.warm_up), amped)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return loss.item()

    @property
    def weights(self) -> Weights:
        """A copy of the net's weights by name, as every other form takes them."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.net.state_dict().items()}


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """One cycle: along a cosine up to the recipe's rate over the first `rise` of the steps, along another down to its end.

    Source: Smith and Topin, "Super-Convergence", 2018.
    """
    rise = recipe.rise * steps
    phase = step / rise if step < rise else 1.0 - (step - rise) / (steps - rise)
    height = 0.5 - 0.5 * math.cos(math.pi * phase)
    return recipe.learning_rate * (LEAST_RATE + (1.0 - LEAST_RATE) * height)
