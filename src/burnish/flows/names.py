"""Names of persons, found by a bundle for `tokens`, so that they are masked like all other personal data."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError, listed
from burnish.core.manifest import MANIFEST
from burnish.core.settings import Settings
from burnish.data.masking import Mask
from burnish.data.privacy._contract import Found
from burnish.flows.load import load
from burnish.store.home import Home
from burnish.store.releases import reference

if TYPE_CHECKING:
    from burnish.bundle.predictor import Predictor

KIND = "name"
MOST_KNOWN = 512
"""Texts whose names are remembered for a moment: each is asked for when it is read, and when its answer is kept."""
SETTING = "BURNISH_MASK_NAMES"


def mask_of(home: Home, own: Settings) -> Mask:
    """What is masked before it is kept: every kind that there is, and names where the settings say by which bundle.

    Raises:
        UserError: the settings name no bundle for `tokens`, or one of which no label is a name.
    """
    if not own.mask_names:
        return Mask.of()
    predictor, wanted = load(_folder_of(home, own.mask_names)), set(own.name_labels.replace(",", " ").split())
    knowledge = predictor.knowledge
    if knowledge.task.part_name != "tokens":
        raise UserError(
            f"{SETTING}: '{own.mask_names}' does {knowledge.task.part_name}; names are found by a bundle for tokens."
        )
    labels = frozenset(label for label in knowledge.labels if label in wanted)
    if not labels:
        raise UserError(
            f"{SETTING}: '{own.mask_names}' has the labels {listed(knowledge.labels)}, and none of them is a name by "
            f"BURNISH_NAME_LABELS ({listed(sorted(wanted))}); say there which are."
        )
    return Mask.of(names=Names(predictor, labels))


class Names:
    """Finds names in texts, in a thread of its own. What `ahead` was told of is found meanwhile, all of it together."""

    def __init__(self, predictor: Predictor, labels: frozenset[str]) -> None:
        self._predictor = predictor
        self._labels = labels
        self._pool = ThreadPoolExecutor(1, "names")
        self._known = OrderedDict[str, Future[dict[str, list[Found]]]]()
        self._looking = threading.Lock()

    def __call__(self, text: str) -> Sequence[Found]:
        """Every name, also one of which the bundle is not sure: what is masked too much does no harm."""
        if not text.strip():
            return ()
        return self._asked([text])[text].result()[text]

    def ahead(self, texts: Sequence[str]) -> None:
        """Begin with texts that will be asked for in a moment."""
        self._asked([text for text in texts if text.strip()])

    def _asked(self, texts: Sequence[str]) -> dict[str, Future[dict[str, list[Found]]]]:
        with self._looking:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            if new:
                self._known.update(dict.fromkeys(new, self._pool.submit(partial(self._found, new))))
            asked = {text: self._known[text] for text in texts}
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return asked

    def _found(self, texts: Sequence[str]) -> dict[str, list[Found]]:
        answers: Any = self._predictor.predict(texts)
        return {
            text: [Found(one.start, one.end, KIND) for one in answer.spans if one.label in self._labels]
            for text, answer in zip(texts, answers, strict=True)
        }


def _folder_of(home: Home, said: str) -> Path:
    """A bundle's folder, or that of a release.

    Raises:
        UserError: it is neither.
    """
    if (folder := Path(said).expanduser()).is_dir() and (folder / MANIFEST).is_file():
        return folder
    try:
        return home.bundles.get(home.releases.find(reference(said)).digest)
    except UserError as error:
        raise UserError(f"{SETTING}: '{said}' is neither the folder of a bundle nor a release: {error}") from None
