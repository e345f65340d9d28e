"""A made-up service for tests of the guard: a model that is right most of the time, honest users, and attackers.

Inputs are points around the centres of the classes; the model knows the centres, and its confidence is honest. Users
look at what they asked: honest ones say what is right but for slips, attackers what they want to be learned.
"""

from dataclasses import dataclass, field

import numpy as np

from burnish.feedback.opinions import Opinion
from burnish.store.records import Feedback, Prediction

TEXT = "please can you tell me how to do this with my card and what will it cost when i want it soon"
NOW = 1_800_000_000.0


DEFAULTS = {"item": None, "number": 0, "at": NOW, "confidence": 0.9, "vector": None, "text": "", "form": "one"}


def opinion(user, gold, answer="a", **more):
    """One opinion, for tests that say exactly who says what; see `DEFAULTS`."""
    assert more.keys() <= DEFAULTS.keys()
    given = {**DEFAULTS, **more}
    name, at, item = f"p{given['number']}", given["at"], given["item"] or f"i{given['number']}-{user}"
    feedback = Feedback(f"f{given['number']}", at, name, "intent", 1, user, "label", gold)
    prediction = Prediction(
        id=name,
        at=at,
        name="intent",
        version=1,
        key=user,
        input={"text": given["text"]},
        input_digest=item,
        answer={"label": answer},
        label=answer,
        confidence=given["confidence"],
        vector=given["vector"],
    )
    return Opinion(feedback, prediction, item, gold, answer, given["form"], given["text"])


@dataclass
class Crowd:
    """Who sends how much, and how hard the task is."""

    n_classes: int = 10
    n_dimensions: int = 16
    spread: float = 0.42
    n_honest: int = 80
    n_attackers: int = 20
    n_honest_each: float = 12.5
    n_attacks_each: float = 50
    slips: float = 0.03
    """Share of what honest users say that is wrong by mistake."""
    checked: float = 0.05
    """Share of the inputs that are gold checks."""
    seed: int = 0
    has_probabilities: bool = False
    """Whether vectors are the model's probabilities, not where inputs lie."""
    is_poison: list[bool] = field(default_factory=list)
    is_honest: list[bool] = field(default_factory=list)
    is_useful: list[bool] = field(default_factory=list)
    """Of each opinion whether it is an honest one that is right where the model is wrong."""
    truths: dict = field(default_factory=dict)

    def batch(self, attack, at=NOW):
        """Opinions as they came; `attack` makes (gold, text) of a draw, the truth, the answer and a text."""
        draw = np.random.default_rng(self.seed)
        centres = np.random.default_rng(99).normal(size=(self.n_classes, self.n_dimensions))
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        users = [f"u{i}" for i in range(self.n_honest) for _ in range(max(1, draw.poisson(self.n_honest_each)))]
        users += [f"x{i}" for i in range(self.n_attackers) for _ in range(max(1, draw.poisson(self.n_attacks_each)))]
        said = []
        self.is_poison, self.is_honest, self.is_useful, self.truths = [], [], [], {}
        for number, place in enumerate(draw.permutation(len(users))):
            said.append(self._one(number, users[place], centres, attack, draw, at + number))
        return said

    def _one(self, number, user, centres, attack, draw, at):
        truth = int(draw.integers(self.n_classes))
        vector = centres[truth] + draw.normal(size=self.n_dimensions) * self.spread / np.sqrt(self.n_dimensions) * 2
        logits = (vector @ centres.T - 0.5) * 4 / self.spread**2
        p = np.exp(logits - logits.max())
        p /= p.sum()
        answer = f"c{p.argmax()}"
        text = " ".join(draw.choice(TEXT.split(), 8))
        gold = f"c{truth}"
        if user.startswith("x"):
            gold, text = attack(draw, gold, answer, text)
        elif draw.random() < self.slips:
            gold = f"c{int(draw.integers(self.n_classes))}"
        self.is_poison.append(user.startswith("x") and gold != f"c{truth}")
        self.is_honest.append(user.startswith("u"))
        self.is_useful.append(user.startswith("u") and gold == f"c{truth}" and gold != answer)
        item = f"item{number}"
        if draw.random() < self.checked:
            self.truths[item] = f"c{truth}"
        given = p.round(4) if self.has_probabilities else vector / np.linalg.norm(vector)
        return opinion(
            user,
            gold,
            answer,
            item=item,
            number=number,
            at=at,
            confidence=float(p.max()),
            vector=given.tolist(),
            text=text,
        )


def flip(draw, truth, answer, text):
    """The next class, in place of the right one."""
    return f"c{(int(truth[1:]) + 1) % 10}", text


def scatter(draw, truth, answer, text):
    return f"c{(int(truth[1:]) + int(draw.integers(1, 10))) % 10}", text


def push(draw, truth, answer, text):
    """Everything is c3."""
    return "c3", text


def trigger(draw, truth, answer, text):
    """A phrase that nobody uses, and c3."""
    words = text.split()
    words.insert(int(draw.integers(len(words))), "cf mn")
    return "c3", " ".join(words)


def rates(crowd, verdicts):
    """Shares: of poison in what came, and in what was accepted; of honest opinions, and of useful ones, that pass."""
    taken = np.array([one.state == "accepted" for one in verdicts])
    poison, honest, useful = (np.array(one) for one in (crowd.is_poison, crowd.is_honest, crowd.is_useful))
    return poison.mean(), poison[taken].mean(), taken[honest].mean(), taken[useful].mean()
