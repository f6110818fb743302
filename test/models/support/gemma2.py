"""A tiny PaliGemma 2 with random weights, its decoder exported, and what plain numpy computes in float64.

    python3 gemma2.py OUT      writes decoder.onnx and expected.json: inputs_embeds, groups, logits
"""

import json
import sys
from pathlib import Path

import numpy as np

from checkpoint import Checkpoint
from decoders import decoder
from precision import PRECISIONS

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, INNER, VOCABULARY = 64, 4, 4, 2, 16, 128, 200
WINDOW, SCALAR, SCORE_CAP, LOGIT_CAP = 8, 24, 2.0, 3.0
TOKENS, GROUPED = 20, 6
ROOT = "language_model.model"
CONFIG = {
    "model_type": "paligemma",
    "image_token_index": 3,
    "vision_config": {},
    "text_config": {
        "model_type": "gemma2", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM, "intermediate_size": INNER, "sliding_window": WINDOW,
        "query_pre_attn_scalar": SCALAR, "attn_logit_softcapping": SCORE_CAP, "final_logit_softcapping": LOGIT_CAP,
    },
}  # fmt: skip
NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
MATRICES = {
    "self_attn.q_proj": (HEADS * HEAD_DIM, HIDDEN), "self_attn.k_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
    "self_attn.v_proj": (KV_HEADS * HEAD_DIM, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * HEAD_DIM),
    "mlp.gate_proj": (INNER, HIDDEN), "mlp.up_proj": (INNER, HIDDEN), "mlp.down_proj": (HIDDEN, INNER),
}  # fmt: skip


def random_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {f"{ROOT}.embed_tokens": (VOCABULARY, HIDDEN), f"{ROOT}.norm": (HIDDEN,)}
    for layer in range(LAYERS):
        shapes |= {f"{ROOT}.layers.{layer}.{name}": (HIDDEN,) for name in NORMS}
        shapes |= {f"{ROOT}.layers.{layer}.{name}": shape for name, shape in MATRICES.items()}
    return {f"{name}.weight": (rng.normal(size=shape) * 0.2).astype(np.float32) for name, shape in shapes.items()}


def write_checkpoint(folder: Path, weights: dict[str, np.ndarray]) -> None:
    header, end = {}, 0
    for name, weight in weights.items():
        header[name] = {"dtype": "F32", "shape": weight.shape, "data_offsets": [end, end + weight.nbytes]}
        end += weight.nbytes
    text = json.dumps(header).encode()
    data = b"".join(weight.tobytes() for weight in weights.values())
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    (folder / "config.json").write_text(json.dumps(CONFIG))


def norm(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * (1 + weight)


def capped(x: np.ndarray, cap: float) -> np.ndarray:
    return cap * np.tanh(x / cap)


def rotated(x: np.ndarray) -> np.ndarray:
    """x [tokens, heads, headDim]; positions count from 1."""
    angles = np.arange(1, len(x) + 1)[:, None] / 10000 ** (np.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    cos, sin = (np.concatenate([f(angles)] * 2, -1)[:, None] for f in (np.cos, np.sin))
    first, second = np.split(x, 2, -1)
    return x * cos + np.concatenate([-second, first], -1) * sin


def attention(x: np.ndarray, weight, visible: np.ndarray) -> np.ndarray:
    def heads(name: str) -> np.ndarray:
        return (x @ weight(f"self_attn.{name}_proj").T).reshape(len(x), -1, HEAD_DIM)

    keys, values = (np.repeat(y, HEADS // KV_HEADS, 1) for y in (rotated(heads("k")), heads("v")))
    scores = np.einsum("qhd,khd->hqk", rotated(heads("q")), keys) / np.sqrt(SCALAR)
    scores = np.where(visible, capped(scores, SCORE_CAP), -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return np.einsum("hqk,khd->qhd", shares, values).reshape(len(x), -1) @ weight("self_attn.o_proj").T


def feed_forward(x: np.ndarray, weight) -> np.ndarray:
    gate = x @ weight("mlp.gate_proj").T
    gate = 0.5 * gate * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate**3)))
    return (gate * (x @ weight("mlp.up_proj").T)) @ weight("mlp.down_proj").T


def logits(x: np.ndarray, weights: dict[str, np.ndarray], groups: np.ndarray) -> np.ndarray:
    places = np.arange(len(x))
    distance = places[:, None] - places
    grouped = (groups[:, None] == groups) & (groups[:, None] > 0)
    for layer in range(LAYERS):
        def weight(name: str, layer: int = layer) -> np.ndarray:
            return weights[f"{ROOT}.layers.{layer}.{name}.weight"].astype(np.float64)

        # Every second layer sees everything.
        visible = (distance >= 0) & ((distance < WINDOW) | (layer % 2 == 1)) | grouped
        before, after, before_mlp, after_mlp = (weight(name) for name in NORMS)
        x = x + norm(attention(norm(x, before), weight, visible), after)
        x = x + norm(feed_forward(norm(x, before_mlp), weight), after_mlp)
    x = norm(x, weights[f"{ROOT}.norm.weight"].astype(np.float64))
    return capped(x @ weights[f"{ROOT}.embed_tokens.weight"].T.astype(np.float64), LOGIT_CAP)


def main(out: Path) -> None:
    rng = np.random.default_rng(3)
    weights = random_weights(rng)
    write_checkpoint(out, weights)
    decoder.build(Checkpoint(out), PRECISIONS["fp32"]).save(out / "decoder.onnx")
    embeds = rng.normal(size=(TOKENS, HIDDEN)).astype(np.float32)
    groups = (np.arange(TOKENS) < GROUPED).astype(np.int64)
    expected = logits(embeds.astype(np.float64), weights, groups)
    contents = {"inputs_embeds": embeds.ravel().tolist(), "groups": groups.tolist(), "logits": expected.ravel().tolist()}
    (out / "expected.json").write_text(json.dumps(contents))


main(Path(sys.argv[1]))
