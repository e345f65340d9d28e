"""How many tokens a second does a bundle write on a CPU, by plain transformers and by two engines, side by side?

    pip install ctranslate2 llama-cpp-python gguf
    BURNISH_CAUSAL_BASE=/path/to/SmolLM2-135M-Instruct python benchmarks/generation_speed.py --threads 2

A bundle of the base is made (nothing is trained), and its folder `model/` is what every engine reads: transformers
through `burnish.predict`; CTranslate2 through its own converter; llama.cpp as a GGUF file of the same float32 weights,
written below as llama.cpp's convert_hf_to_gguf.py does for the Llama architecture, and quantised by the library.
All write greedily, at most `--tokens` tokens to each of 8 prompts, with equal threads, in rounds that take turns; the
median round counts. Reading the prompt is in the time. `alike` is the mean share of a text's tokens, from its first,
on which an engine agrees with transformers: quantised weights leave that path sooner or later, as any change does.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ASKED = [
    "Write a story about a lighthouse keeper who finds a message in a bottle.",
    "Explain how a bicycle stays upright while it is ridden.",
    "Describe a day in the life of a librarian in a small town.",
    "Give me ten ideas for a birthday party for a child of seven.",
    "What should I think of before I rent my first flat?",
    "Tell me about the history of tea in England.",
    "Write a letter to a neighbour whose dog barks all night.",
    "How do I cook a risotto with mushrooms? List every step.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ.setdefault("BURNISH_THREADS", str(asked.threads))
    import torch

    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        engines = made(Path(folder), asked.threads, asked.tokens)
        measure(engines, asked.rounds)


def made(folder: Path, n_threads: int, n_tokens: int):
    """(engine, weights, texts at once) → a function that writes a list of token ids for each prompt."""
    import burnish
    from burnish.bundle.predictor import load_predictor

    recipe = {
        "task": {"name": "generation", "decoding": {"max_new_tokens": n_tokens}},
        "base": os.environ["BURNISH_CAUSAL_BASE"],
        "data": {"train": [{"prompt": str(n), "response": str(n)} for n in range(4)], "dev": "25%"},
        "train": {"epochs": 0},
    }
    bundle = burnish.fit(recipe, out=folder / "bundle").bundle
    predictor = load_predictor(bundle)
    task, reader = predictor.task, predictor.reader
    encoded = task.encode([task.read({"prompt": text}, False) for text in ASKED], reader, ())
    prompts = [one.features[0]["input_ids"].tolist() for one in encoded]
    sizes = [len(prompt) for prompt in prompts]
    print(f"{len(prompts)} prompts of {min(sizes)} to {max(sizes)} tokens, {n_tokens} written, {n_threads} threads")
    return {
        **with_burnish(predictor),
        **with_ctranslate2(bundle / "model", folder, prompts, n_threads, n_tokens, reader),
        **with_llama_cpp(bundle / "model", folder, prompts, n_threads, n_tokens, reader.ends),
    }


def measure(engines, n_rounds: int) -> None:
    seconds = {name: [] for name in engines}
    written = {}
    for write in engines.values():
        write(1)  # a first call makes caches and lays out weights
    for _ in range(n_rounds):
        for name, write in engines.items():
            started = time.perf_counter()
            written[name] = write(len(ASKED))
            seconds[name].append(time.perf_counter() - started)
    [plain, *_] = written.values()
    base = None
    print("| engine | weights | texts at once | tokens/s | to plain transformers, one at a time | alike |")
    print("|---|---|---|---|---|---|")
    for name, texts in written.items():
        rate = sum(map(len, texts)) / statistics.median(seconds[name])
        base = base or rate
        print(f"| {' | '.join(name)} | {rate:.1f} | {rate / base:.2f} | {alike(texts, plain):.2f} |")


def alike(texts, plain) -> float:
    shares = []
    for text, other in zip(texts, plain, strict=True):
        same = next(
            (n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
        )
        shares.append(same / max(len(text), len(other)))
    return statistics.mean(shares)


def with_burnish(predictor):
    backend = predictor.reader.tokenizer.backend

    def ids(answers):
        return [backend.encode(one.text, add_special_tokens=False).ids for one in answers]

    return {
        ("transformers (burnish)", "float32", "1"): lambda n: ids(predictor(text) for text in ASKED[:n]),
        ("transformers (burnish)", "float32", "8"): lambda n: ids(predictor.predict(ASKED[:n])),
    }


def with_ctranslate2(model: Path, folder: Path, prompts, n_threads: int, n_tokens: int, reader):
    import ctranslate2

    converter = ctranslate2.converters.TransformersConverter(str(model))
    backend, found = reader.tokenizer.backend, {}
    tokens = [[backend.id_to_token(one) for one in prompt] for prompt in prompts]
    ends = [backend.id_to_token(one) for one in reader.ends]
    for weights in ("float32", "int8"):
        converter.convert(str(folder / f"ct2-{weights}"), quantization=weights, force=True)
        engine = ctranslate2.Generator(
            str(folder / f"ct2-{weights}"), device="cpu", inter_threads=1, intra_threads=n_threads
        )

        def write(n, at_once, engine=engine):
            texts = []
            for start in range(0, n, at_once):
                texts += engine.generate_batch(
                    tokens[start : min(start + at_once, n)],
                    max_length=n_tokens,
                    sampling_topk=1,
                    end_token=ends,
                    include_prompt_in_result=False,
                )
            return [one.sequences_ids[0] for one in texts]

        found["CTranslate2", weights, "1"] = lambda n, write=write: write(n, 1)
        found["CTranslate2", weights, "8"] = lambda n, write=write: write(n, 8)
    return found


def with_llama_cpp(model: Path, folder: Path, prompts, n_threads: int, n_tokens: int, ends):
    import llama_cpp

    write_gguf(model, folder / "float32.gguf")
    kinds = {"Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1}
    quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    for kind, number in kinds.items():
        how = llama_cpp.llama_model_quantize_default_params()
        how.ftype, how.nthread = number, n_threads
        files = [str(folder / f"{name}.gguf").encode() for name in ("float32", kind)]
        assert llama_cpp.llama_model_quantize(*files, ctypes.byref(how)) == 0
    found = {}
    for kind in ("float32", *kinds):
        engine = llama_cpp.Llama(
            str(folder / f"{kind}.gguf"), n_ctx=1024, n_threads=n_threads, n_threads_batch=n_threads, verbose=False
        )

        def write(n, engine=engine):
            texts = []
            for prompt in prompts[:n]:
                text = []
                for token in engine.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
                    if token in ends or len(text) == n_tokens:
                        break
                    text.append(token)
                texts.append(text)
            return texts

        found["llama.cpp", kind, "1"] = write
    return found


def write_gguf(model: Path, out: Path) -> None:
    """A model folder of the Llama architecture with a byte-level BPE as a float32 GGUF file."""
    import gguf
    from safetensors.numpy import load_file

    config, tokenizer = (json.loads((model / name).read_text()) for name in ("config.json", "tokenizer.json"))
    n_heads, n_shared, n_layers = (
        config[f"num_{name}"] for name in ("attention_heads", "key_value_heads", "hidden_layers")
    )
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(n_layers)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(n_heads)
    writer.add_head_count_kv(n_shared)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["hidden_size"] // n_heads)
    writer.add_vocab_size(config["vocab_size"])
    tell_tokens(writer, tokenizer, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, n_layers)
    for name, value in load_file(model / "model.safetensors").items():
        for part, n in (("q_proj", n_heads), ("k_proj", n_shared)):
            if f"{part}.weight" in name:  # llama.cpp turns neighbours in a head, transformers its two halves
                value = value.reshape(n, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), np.ascontiguousarray(value.astype(np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tell_tokens(writer, tokenizer, config) -> None:
    import gguf

    special = {one["id"]: one["content"] for one in tokenizer["added_tokens"]}
    words = {number: word for word, number in tokenizer["model"]["vocab"].items()} | special
    numbers = range(config["vocab_size"])
    kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([words.get(number, f"[PAD{number}]") for number in numbers])
    writer.add_token_types([kinds[number in special] for number in numbers])
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(False)


if __name__ == "__main__":
    main()
