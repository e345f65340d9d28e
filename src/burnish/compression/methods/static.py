"""Static embeddings: a vector for each token, distilled from the model, their mean, a linear layer (Model2Vec)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class StaticEmbeddings(Method):
    """The cheapest tier: no layer is left, so words no longer know their neighbours (Tulkens and van Dongen 2024).

    Each token of the vocabulary is read alone; its vector is led to fewer dimensions by PCA and weighted down where it
    is frequent (SIF: Arora, Liang and Ma 2017). A new linear layer learns from labels and from the model's answers.
    """

    makes = "network"

    dimensions: int | None = Field(default=256, ge=1)
    """Width of the vectors after PCA; null, or more than the model's width, keeps that."""

    weighting: Literal["counts", "zipf", "none"] = "counts"
    """Frequency by which a token's vector is weighted down: as counted in all known texts, or as Zipf's law has it for
    its place in the vocabulary."""

    smoothing: float = Field(default=1e-3, gt=0)
    """a in the weight a / (a + frequency): less makes frequent tokens count for less."""

    learns_vectors: bool = True
    """Whether training changes the vectors too; else only the linear layer."""

    epochs: int = Field(default=10, ge=0)
    """How often the new network is trained on every batch."""

    learning_rate: float | None = Field(default=1e-3, gt=0)
    """Peak rate; null takes that of the recipe, which for a whole model is too low here."""

    teacher_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the loss that is the distance from the model's answers; the rest is the task's own."""

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._token_vectors import refuse_static

        return refuse_static(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:

        import torch

        from burnish.compression.methods._recovery import Recovery
        from burnish.compression.methods._token_vectors import led_to, static_network, token_vectors, weights
        from burnish.core.seeds import derive

        vectors = led_to(token_vectors(subject, material.listen), self.dimensions)
        vectors *= weights(self.weighting, len(vectors), material.features(), self.smoothing)[:, None]
        with torch.random.fork_rng([]):
            torch.manual_seed(derive(material.seed, "static"))
            network = static_network(vectors / vectors.std(), len(subject.labels), self.learns_vectors)
        recovery = Recovery(self.epochs, self.learning_rate, self.teacher_share)
        network = recovery.of(network, subject, material)
        return subject.after(self, network=network, is_plain=False)
