"""Invent texts that compress as prose does: words of a Zipf law, in sentences that agents and tools share."""

from __future__ import annotations

import itertools
import random

_ONSETS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "pl", "gr")
_CODAS = ("", "n", "r", "s", "l")
_SYLLABLES = tuple(onset + vowel + coda for onset in _ONSETS for vowel in "aeiou" for coda in _CODAS)
_WORDS = 9_000
_ZIPF_EXPONENT = 0.95
# Every so many texts, which is rare enough that a search for it finds few.
RARE_WORD = "trankalnan"
_RARE = 50


class Texts:
    """Give texts of a seeded vocabulary."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        words = {"".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3)))) for _ in range(_WORDS)}
        self._words = sorted(words - {RARE_WORD})
        chance.shuffle(self._words)
        weights = (1 / (rank + 2) ** _ZIPF_EXPONENT for rank in range(len(self._words)))
        self._weights = list(itertools.accumulate(weights))

    def pool(self, count: int, shortest: int, longest: int) -> list[str]:
        """Return so many texts of between shortest and longest characters."""
        chance = self._chance
        made = []
        for at in range(count):
            length = chance.randrange(shortest, longest)
            words = chance.choices(self._words, cum_weights=self._weights, k=length // 5 + 1)
            if at % _RARE == _RARE // 2:
                words[0] = RARE_WORD
            made.append(" ".join(words)[:length])
        return made
