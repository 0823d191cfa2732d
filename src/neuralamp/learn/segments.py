"""Which stretches of a pair a step learns from: drawn by seed and step alone, so that a resumed training draws the same."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import Recipe


class Segments:
    """Batches from the training parts of a pair; with its warm-up, no segment touches the held-out part."""

    def __init__(self, pair: Pair, recipe: Recipe, seed: int, device: torch.device):
        self.recipe, self.seed, self.device = recipe, seed, device
        self.window = recipe.warm_up + recipe.segment_frames
        self.parts = pair.train_parts(self.window)
        self.di, self.amped = torch.from_numpy(pair.di).to(device), torch.from_numpy(pair.amped).to(device)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, 1, warm_up + segment_frames) of the direct take, (batch, 1, segment_frames) of the amped one."""
        places = [part.stop - part.start - self.window for part in self.parts]
        drawn = np.random.default_rng((self.seed, step)).integers(sum(places), size=self.recipe.batch)
        starts = [int(place) + self._skipped(places, place) for place in drawn]
        di = torch.stack([self.di[start : start + self.window] for start in starts])
        amped = torch.stack([self.amped[start + self.recipe.warm_up : start + self.window] for start in starts])
        return di[:, None], amped[:, None]

    def _skipped(self, places: Sequence[int], place: int) -> int:
        """Frames between the place counted over the parts end to end and the place in the take."""
        before = 0
        for part, count in zip(self.parts, places, strict=True):
            if place < before + count:
                return part.start - before
            before += count
        raise IndexError(place)
