"""Subjects and material for methods: tiny networks with random weights, a few texts, a plain loop that trains."""

import copy

import numpy as np
import pytest
import torch

from burnish.compression.subject import Material, Subject
from burnish.core.events import ignore
from burnish.core.shelves import Shelf

LABELS = ("bad", "good", "other")
ROWS = [
    ("good day", "good"), ("all good", "good"), ("so good a day", "good"), ("what a good day", "good"),
    ("bad day", "bad"), ("so bad", "bad"), ("a bad bad day", "bad"), ("上海不好", "bad"),
    ("北京好", "good"), ("hello there", "other"), ("zebra 42", "other"), ("so so", "other"),
]  # fmt: skip
TEXTS = [text for text, _ in ROWS]


def build_subject(base, head="cls", task="classification", labels=LABELS, **settings):
    """An untrained model on `base`, the same every time."""
    task = Shelf("tasks").build({"name": task, "head": head, **settings})
    with torch.random.fork_rng([]):
        torch.manual_seed(7)
        network = task.head_part.attach(base, task.head_plan(labels)).eval()
    enliven(network)
    return Subject(task, labels, network, task.load_reader(base, None, ""), base)


def enliven(network):
    """Wider weights than a new network has, so that its layers matter and its answers differ from text to text."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.mul_(6)


def encoded(subject, rows=ROWS, is_labelled=True):
    examples = [subject.task.read({"text": text, "label": label}, is_labelled) for text, label in rows]
    return [f for one in subject.task.encode(examples, subject.reader, subject.labels) for f in one.features]


def batch_of(subject, features):
    batch = subject.task.collate(features, subject.reader.pad_id, len(subject.labels))
    batch.inputs = {name: torch.as_tensor(value) for name, value in batch.inputs.items()}
    batch.targets = {name: torch.as_tensor(value) for name, value in batch.targets.items()}
    return batch


def batches_of(subject, features, size=4):
    return [batch_of(subject, features[at : at + size]) for at in range(0, len(features), size)]


def logits_of(subject, texts=TEXTS):
    """[N, L] what the subject answers to texts."""
    batch = batch_of(subject, encoded(subject, [(text, None) for text in texts], is_labelled=False))
    with torch.no_grad():
        return subject.network.eval()(**batch.inputs)


class Trainer:
    """A plain loop; `calls` remembers what was asked for."""

    def __init__(self, batches):
        self.batches = batches
        self.calls = []

    def __call__(self, network, loss, *, epochs, learning_rate=None):
        self.calls.append((epochs, learning_rate))
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=learning_rate or 1e-3)
        network.train()
        with torch.random.fork_rng([]):
            torch.manual_seed(1)
            for _ in range(epochs):
                for batch in self.batches:
                    optimizer.zero_grad()
                    loss(network(**batch.inputs).float(), batch).backward()
                    optimizer.step()


def build_material(subject, work, rows=ROWS, is_labelled=True):
    features = encoded(subject, rows, is_labelled)
    batches = batches_of(subject, features)
    return Material(
        examples=features,
        batches=lambda: iter(batches),
        loss=lambda logits, batch: subject.task.loss(logits, batch, None, 0.0),
        learn=Trainer(batches),
        features=lambda: iter(features),
        work=work,
        seed=5,
        listen=ignore,
    )


def weights_of(network):
    return copy.deepcopy(network.state_dict())


def assert_same_weights(network, before):
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


def reloaded(subject, folder):
    """The subject saved in the plain layout and attached anew, as a bundle does."""
    subject.network.save(folder)
    subject.reader.save(folder, subject.folder)
    network = subject.task.head_part.attach(folder, subject.task.head_plan(subject.labels))
    network.load_readout(folder)
    reader = subject.task.load_reader(folder, subject.reader.max_length, subject.reader.prompt, is_bundle=True)
    return Subject(subject.task, subject.labels, network.eval(), reader, folder)


@pytest.fixture
def subject(tiny_base):
    return build_subject(tiny_base)


@pytest.fixture
def material(subject, tmp_path):
    return build_material(subject, tmp_path)


def save_tiny(folder, model, config):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model(config).save_pretrained(folder)
    return folder


SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


@pytest.fixture(scope="session")
def tiny_xlmr(tmp_path_factory):
    """An XLM-R of 2 layers × 32 with a Unigram tokenizer like its own: specials first, the mask last."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import XLMRobertaConfig, XLMRobertaModel

    folder = tmp_path_factory.mktemp("tiny-xlmr")
    scores = np.linspace(-2, -9, 60)
    words = ["▁", "▁good", "▁bad", "▁day", "▁a", "▁so", "▁all", "▁what", "good", "▁go", "od", "▁never", "▁ze", "bra"]
    pieces = [*words, *"abcdefghijklmnopqrstuvwxyz0123456789", *"北京上海不好"]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [*zip(pieces, scores.tolist(), strict=False), ("<mask>", 0.0)]
    backend = Tokenizer(models.Unigram(vocabulary, 3, False))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    ends = [("<s>", 0), ("</s>", 2)]
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ends)
    backend.save(str(folder / "tokenizer.json"))
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), max_position_embeddings=66, pad_token_id=1, bos_token_id=0, eos_token_id=2, **SIZES
    )
    return save_tiny(folder, XLMRobertaModel, config)


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory):
    """A RoBERTa of 2 layers × 32 with a byte-level BPE of a few merges."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import RobertaConfig, RobertaModel

    folder = tmp_path_factory.mktemp("tiny-roberta")
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([*TEXTS * 3, "never seen anywhere", "another word never read"] * 3, trainer)
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    backend.save(str(folder / "tokenizer.json"))
    config = RobertaConfig(
        vocab_size=backend.get_vocab_size(), max_position_embeddings=66, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, **SIZES,
    )  # fmt: skip
    return save_tiny(folder, RobertaModel, config)


@pytest.fixture(scope="session")
def tiny_distilbert(tiny_base, tmp_path_factory):
    """A DistilBERT of 2 layers × 32 that reads as the tiny BERT does."""
    import json
    import shutil

    from transformers import DistilBertConfig, DistilBertModel

    folder = tmp_path_factory.mktemp("tiny-distilbert")
    shutil.copy(tiny_base / "tokenizer.json", folder)
    n_tokens = json.loads((tiny_base / "config.json").read_text("utf-8"))["vocab_size"]
    config = DistilBertConfig(
        vocab_size=n_tokens, dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=64
    )
    return save_tiny(folder, DistilBertModel, config)
