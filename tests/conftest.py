"""Fixtures that more than one room needs. Outcomes are random but the same in every run."""

import numpy as np
import pytest

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._joint import JointOutcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._pairings import PairingOutcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._scores import ScoreOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome
from burnish.metrics._texts import TextOutcome
from burnish.metrics._transcripts import TranscriptOutcome


def random_single(seed=0, n_rows=60, n_labels=5, is_perfect=False):
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(n_rows, n_labels)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = draw.integers(n_labels, size=n_rows)
    if is_perfect:
        shares = np.eye(n_labels)[gold]
    return SingleOutcome(gold, shares, tuple(f"label {index}" for index in range(n_labels)))


def random_multi(seed=0, n_rows=60, n_labels=4, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = draw.random((n_rows, n_labels)) < 0.4
    shares = gold.astype(float) if is_perfect else draw.random((n_rows, n_labels))
    return MultiOutcome(gold, shares, np.full(n_labels, 0.5), tuple(f"label {index}" for index in range(n_labels)))


def spans_of_tags(tags, confidence):
    """IOB2 tags of one row → spans whose characters are word numbers, written apart from our own reader."""
    spans, start = [], None
    for at, tag in enumerate([*tags, "O"]):
        if start is not None and not (tag.startswith("I-") and tag[2:] == tags[start][2:]):
            spans.append(Span(start, at, tags[start][2:], float(min(confidence[start:at]))))
            start = None
        if tag.startswith("B-"):
            start = at
    return spans


def random_tags(draw, n_words):
    tags = []
    for _ in range(n_words):
        can_go_on = bool(tags) and tags[-1] != "O"
        kind = draw.choice(["O", "B", "I"] if can_go_on else ["O", "B"])
        tags.append("O" if kind == "O" else f"B-{draw.choice(['PER', 'LOC'])}" if kind == "B" else f"I-{tags[-1][2:]}")
    return tags


def random_spans(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = [random_tags(draw, int(draw.integers(1, 9))) for _ in range(n_rows)]
    noisy = [tags if draw.random() < 0.5 else random_tags(draw, len(tags)) for tags in gold]
    found = gold if is_perfect else noisy
    sure = [np.ones(len(tags)) if is_perfect else draw.random(len(tags)) for tags in gold]
    return SpanOutcome(
        [spans_of_tags(tags, np.ones(len(tags))) for tags in gold],
        [spans_of_tags(tags, one) for tags, one in zip(found, sure, strict=True)],
        gold,
        found,
        [one.tolist() for one in sure],
        ("LOC", "PER"),
    )


def random_scores(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = np.round(draw.random(n_rows), 1)  # with ties, as people give marks
    return ScoreOutcome(gold, gold if is_perfect else draw.random(n_rows), (0.0, 5.0))


def random_relations(seed=0, n_rows=60, is_perfect=False):
    single = random_single(seed, n_rows, 5, is_perfect)
    labels = ("a(e1,e2)", "a(e2,e1)", "b(e1,e2)", "none", "same as")
    return RelationOutcome(SingleOutcome(single.gold, single.probabilities, labels), "none")


def random_ranked(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    names = [f"t{number}" for number in range(20)]
    gold = [draw.choice(names, size=draw.integers(1, 4), replace=False).tolist() for _ in range(n_rows)]
    ranked = [draw.permutation(names).tolist() for _ in range(n_rows)]
    if is_perfect:
        ranked = [[*wanted, *(name for name in names if name not in wanted)] for wanted in gold]
    return RankedOutcome.of(gold, ranked)


def random_recommended(seed=0, n_rows=60, is_perfect=False):
    auc = np.ones(n_rows) if is_perfect else np.random.default_rng(seed).random(n_rows)
    return RecommendedOutcome(random_ranked(seed, n_rows, is_perfect), auc)


def random_answers(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    known = ["a red door", "red door", "in 1987", "北京大学", "北京的大学", "", "上海"]
    gold = [tuple(one for one in draw.choice(known, size=draw.integers(1, 3)) if one) for _ in range(n_rows)]
    guessed = [str(one) for one in draw.choice(known, size=n_rows)]
    found = [str(one[0]) if one else "" for one in gold] if is_perfect else guessed
    sure = np.ones(n_rows) if is_perfect else draw.random(n_rows)
    return AnswerOutcome(gold, found, sure, draw.random(n_rows), draw.random(n_rows) < 0.5)


def random_transcripts(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    known = ["Turn", "left", "stop", "打开", "don't", "now."]
    gold, other = ([" ".join(draw.choice(known, size=draw.integers(1, 6))) for _ in range(n_rows)] for _ in range(2))
    return TranscriptOutcome(gold, [one.lower() for one in gold] if is_perfect else other)


def random_texts(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    words = {False: ["the", "red", "door", "opens", "slowly", "today"], True: list("北京的大学今天开门了")}
    is_chinese = draw.random(n_rows) < 0.5

    def text(chinese):
        return ("" if chinese else " ").join(draw.choice(words[chinese], size=draw.integers(5, 9)))

    gold = [tuple(text(bool(chinese)) for _ in range(draw.integers(1, 4))) for chinese in is_chinese]
    written = [golds[0] if is_perfect else text(bool(chinese)) for golds, chinese in zip(gold, is_chinese, strict=True)]
    nll = np.zeros(n_rows) if is_perfect else draw.random(n_rows) * 9
    return TextOutcome(gold, written, nll, draw.integers(5, 9, size=n_rows), is_chinese)


def random_likelihood(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    n_tokens = draw.integers(1, 9, size=n_rows)
    return LikelihoodOutcome(np.zeros(n_rows) if is_perfect else draw.random(n_rows) * 3 * n_tokens, n_tokens)


def random_pairings(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    most = 1 if is_perfect else 30
    places = [draw.integers(1, most + 1, size=int(draw.integers(1, 4))) for _ in range(n_rows)]
    names = [f"picture {row}" for row in range(n_rows)]
    return PairingOutcome(
        places, draw.integers(1, most + 1, size=n_rows), names, [[one] for one in names], [[]] * n_rows
    )


def random_joint(seed=0, n_rows=60, is_perfect=False):
    n_first = n_rows // 3
    parts = {
        "mood": random_single(seed, n_first, is_perfect=is_perfect),
        "names": random_spans(seed, n_rows - n_first, is_perfect=is_perfect),
    }
    part = (np.arange(n_rows) >= n_first).astype(np.int64)
    at = np.concatenate([np.arange(n_first), np.arange(n_rows - n_first)])
    order = np.random.default_rng(seed).permutation(n_rows)
    return JointOutcome(parts, {"mood": "accuracy", "names": "entity_f1"}, part[order], at[order])


MAKERS = {
    JointOutcome: random_joint,
    LikelihoodOutcome: random_likelihood,
    TextOutcome: random_texts,
    AnswerOutcome: random_answers,
    RelationOutcome: random_relations,
    RankedOutcome: random_ranked,
    RecommendedOutcome: random_recommended,
    SingleOutcome: random_single,
    MultiOutcome: random_multi,
    SpanOutcome: random_spans,
    ScoreOutcome: random_scores,
    TranscriptOutcome: random_transcripts,
    PairingOutcome: random_pairings,
}


@pytest.fixture
def make_outcome():
    """Random outcome of a type, e.g. `make_outcome(SingleOutcome, seed=3)`; with `is_perfect` it is certain gold."""
    return lambda kind, **settings: MAKERS[kind](**settings)


TINY_WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "good",
    "bad",
    "day",
    "so",
    "all",
    *"abcdefghijklmnopqrstuvwxyz",
    *"中国北京上海好坏的我",
]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """A folder with a BERT of 2 layers × 32, random weights, that reads letters, a few words and Chinese characters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-base")
    pieces = [*TINY_WORDS, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"), *"0123456789.,!?-"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder


CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}"
    "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TINY_TEXTS = ["good day", "all good", "so bad a day", "what a good day", "北京好", "上海不好", "user assistant system"]


def save_tiny_tokenizer(folder, special, **processing):
    """A byte-level BPE of a few merges, which reads any text; the special tokens have the first ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(TINY_TEXTS, trainer)
    if processing:
        backend.post_processor = processing["post_processor"]
    backend.save(str(folder / "tokenizer.json"))
    return backend.get_vocab_size()


@pytest.fixture(scope="session")
def tiny_causal_base(tmp_path_factory):
    """A folder with a Llama of 2 layers × 32, tied and with random weights, a byte-level tokenizer, a chat template."""
    import json

    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-causal-base")
    n_tokens = save_tiny_tokenizer(folder, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    config = LlamaConfig(
        vocab_size=n_tokens,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.15,  # so wide that a few dozen steps teach it something
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    settings = {"eos_token": "<|endoftext|>", "chat_template": CHATML}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def tiny_t5(n_tokens):
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=n_tokens,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    return T5ForConditionalGeneration(config)


def tiny_bart(n_tokens):
    from transformers import BartConfig, BartForConditionalGeneration

    ids = {
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": 1,
        "decoder_start_token_id": 1,
        "forced_eos_token_id": 1,
    }
    sizes = {"encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    config = BartConfig(vocab_size=n_tokens, d_model=32, max_position_embeddings=256, **ids, **sizes, **heads)
    return BartForConditionalGeneration(config)


def tiny_marian(n_tokens):
    from transformers import MarianConfig, MarianMTModel

    ids = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0, "forced_eos_token_id": 1}
    sizes = {"encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    config = MarianConfig(vocab_size=n_tokens, d_model=32, max_position_embeddings=256, **ids, **sizes, **heads)
    return MarianMTModel(config)


TINY_SEQ2SEQ = {"t5": tiny_t5, "bart": tiny_bart, "marian": tiny_marian}


@pytest.fixture(scope="session")
def make_tiny_seq2seq_base(tmp_path_factory):
    """`make_tiny_seq2seq_base("t5")`: a folder with an encoder and decoder of 2 layers × 32, and random weights."""
    import torch
    from tokenizers import processors

    def make(kind):
        folder = tmp_path_factory.mktemp(f"tiny-{kind}-base")
        ends = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
        n_tokens = save_tiny_tokenizer(folder, ["<pad>", "</s>"], post_processor=ends)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            TINY_SEQ2SEQ[kind](n_tokens).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_seq2seq_base(make_tiny_seq2seq_base):
    return make_tiny_seq2seq_base("t5")


@pytest.fixture(scope="session")
def tiny_towers(tiny_base, tmp_path_factory):
    """A folder with a ViT of 2 layers × 16 that reads pictures of 32 × 32, and in `text/` the tiny BERT beside it."""
    import shutil

    import torch
    from transformers import ViTConfig, ViTModel
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    folder = tmp_path_factory.mktemp("tiny-towers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTModel(ViTConfig(image_size=32, patch_size=16, **sizes)).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    shutil.copytree(tiny_base, folder / "text")
    return folder


SPOKEN_WORDS = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>", *"abcdefghijklmnopqrstuvwxyz' "]


@pytest.fixture(scope="session")
def tiny_listener(tmp_path_factory):
    """A folder with a Whisper of 2 + 2 layers × 32 that hears 4 seconds, random weights, and writes letters."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    folder = tmp_path_factory.mktemp("tiny-listener")
    backend = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(SPOKEN_WORDS)}, "'"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens(SPOKEN_WORDS[:3])
    backend.save(str(folder / "tokenizer.json"))
    WhisperFeatureExtractor(feature_size=16, chunk_length=4).save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=len(SPOKEN_WORDS), num_mel_bins=16, d_model=32, max_source_positions=200, max_target_positions=256,
        encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_ffn_dim=64, pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=1,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        WhisperForConditionalGeneration(config).save_pretrained(folder)
    return folder


def _save_listener(folder, model, config, extractor):
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model(config).save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


SMALL_LISTENER = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "conv_dim": (16,) * 4,
    "conv_kernel": (10, 8, 4, 4), "conv_stride": (10, 8, 2, 2), "num_feat_extract_layers": 4, "layerdrop": 0.0,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.0, "vocab_size": 12,
}  # fmt: skip


@pytest.fixture(scope="session")
def tiny_wav2vec2(tmp_path_factory):
    """A Wav2Vec2 of 2 layers × 32 like wav2vec2-base: it normalises over the whole recording and wants no mask."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    config = Wav2Vec2Config(**SMALL_LISTENER, feat_extract_norm="group")
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    return _save_listener(tmp_path_factory.mktemp("tiny-wav2vec2"), Wav2Vec2Model, config, extractor)


@pytest.fixture(scope="session")
def tiny_hubert(tmp_path_factory):
    """A HuBERT of 2 layers × 32 like hubert-large: it normalises each frame and wants a mask."""
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    config = HubertConfig(**SMALL_LISTENER, feat_extract_norm="layer", do_stable_layer_norm=True)
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    return _save_listener(tmp_path_factory.mktemp("tiny-hubert"), HubertModel, config, extractor)


def tone(hertz, seconds=0.5, rate_hz=16_000):
    """Samples of a pure tone."""
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)
