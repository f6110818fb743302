"""Writes a model directory in the Hub's layout from a checkpoint: JSON files and ONNX graphs, fp32 and 4-bit.

    python3 export.py run/checkpoint.pt out [--safetensors]
    python3 export.py ../default run/newest.pt ../default --decoder-only      (what tune.py has changed)

The graphs are built node by node, so that they hold exactly the operators meant: GroupQueryAttention over the cache
in the decoder, RotaryEmbedding from `position_ids`, MultiHeadAttention in the vision encoder, and MatMulNBits
(blocks of 32, accuracy_level 4) for the matrices of the 4-bit files.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import Idefics3, rotary_tables
from model_config import GRID, HALVED, IMAGE_TOKENS, PATCH, SHUFFLE, SIDE, TEXT, VISION, VOCAB, directory_json
from optimizer import BLOCK, four_bit
from warm_start import load_into

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32
MICROSOFT = "com.microsoft"
SMALLEST_HALVED = 1024


class GraphBuilder:
    def __init__(self, weights: dict[str, torch.Tensor], bits: int):
        self.weights = weights
        self.bits = bits
        self.nodes: list = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, array: np.ndarray) -> str:
        """A large one that 16 bits hold exactly is kept in 16 and cast, which engines do once, as they load it."""
        if name in self.initializers:
            return name
        array = np.ascontiguousarray(array)
        if array.dtype == np.float32 and array.size >= SMALLEST_HALVED and (array.astype(np.float16) == array).all():
            self.initializers[name] = numpy_helper.from_array(array.astype(np.float16), f"{name}{HALVED}")
            self.node("Cast", [f"{name}{HALVED}"], name, to=FLOAT)
        else:
            self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name].float().numpy())

    def ints(self, *values: int) -> str:
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def scalar(self, value: int) -> str:
        return self.constant(f"scalar_{value}", np.array(value, np.int64))

    def node(self, op: str, inputs: list[str], outputs: str | list[str], domain: str = "", **attributes) -> str:
        outputs = [outputs] if isinstance(outputs, str) else outputs
        name = f"/{outputs[0]}/{op}"
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, name: str, out: str, keep: bool = False) -> str:
        """`x` times the transposed weight `name`.weight, without its bias. `keep`: 32-bit in every file."""
        weight = self.weights[f"{name}.weight"].float()
        if self.bits == 32 or keep:
            transposed = self.constant(f"{name}.weight_t", weight.T.numpy())
            return self.node("MatMul", [x, transposed], out)
        rows, columns = weight.shape
        levels, scales = four_bit(weight)
        levels = levels.to(torch.uint8).numpy()
        packed = self.constant(f"{name}.weight_q4", levels[..., 0::2] | (levels[..., 1::2] << 4))
        scales = self.constant(f"{name}.weight_scales", scales.half().float().reshape(-1).numpy())
        return self.node(
            "MatMulNBits", [x, packed, scales], out, MICROSOFT,
            K=columns, N=rows, bits=4, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip

    def biased(self, x: str, name: str, out: str) -> str:
        product = self.linear(x, name, f"{out}_product")
        return self.node("Add", [product, self.weight(f"{name}.bias")], out)

    def save(self, path: Path, name: str, inputs: list, outputs: list) -> None:
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="troupe")
        onnx.save(model, str(path))


def info(name: str, kind: int, shape: list):
    return helper.make_tensor_value_info(name, kind, shape)


def vision_encoder(weights, positions: torch.Tensor, bits: int, path: Path) -> None:
    g = GraphBuilder(weights, bits)
    root = "model.vision_model"
    width, heads = VISION["hidden"], VISION["heads"]
    x = g.node("Reshape", ["pixel_values", g.ints(-1, 3, SIDE, SIDE)], "images")
    patch = f"{root}.embeddings.patch_embedding"
    x = g.node(
        "Conv", [x, g.weight(f"{patch}.weight"), g.weight(f"{patch}.bias")], "patches",
        kernel_shape=[PATCH, PATCH], strides=[PATCH, PATCH],
    )  # fmt: skip
    x = g.node("Reshape", [x, g.ints(-1, width, GRID * GRID)], "patches_flat")
    x = g.node("Transpose", [x], "patches_last", perm=[0, 2, 1])
    table = weights[f"{root}.embeddings.position_embedding.weight"].float()[positions]
    x = g.node("Add", [x, g.constant("positions", table[None].numpy())], "embedded")
    for i in range(VISION["layers"]):
        layer, at = f"{root}.encoder.layers.{i}", f"v{i}"
        normed = layer_norm(g, x, f"{layer}.layer_norm1", f"{at}_norm1")
        qkv = [g.linear(normed, f"{layer}.self_attn.{p}_proj", f"{at}_{p}") for p in "qkv"]
        biases = [weights[f"{layer}.self_attn.{p}_proj.bias"].float() for p in "qkv"]
        bias = g.constant(f"{at}_qkv_bias", torch.cat(biases).numpy())
        attended = g.node("MultiHeadAttention", [*qkv, bias], f"{at}_attended", MICROSOFT, num_heads=heads)
        attended = g.biased(attended, f"{layer}.self_attn.out_proj", f"{at}_attention")
        x = g.node("Add", [x, attended], f"{at}_middle")
        normed = layer_norm(g, x, f"{layer}.layer_norm2", f"{at}_norm2")
        inner = g.linear(normed, f"{layer}.mlp.fc1", f"{at}_inner")
        inner = g.node("BiasGelu", [inner, g.weight(f"{layer}.mlp.fc1.bias")], f"{at}_gelu", MICROSOFT)
        x = g.node("Add", [x, g.biased(inner, f"{layer}.mlp.fc2", f"{at}_mlp")], f"{at}_out")
    x = layer_norm(g, x, f"{root}.post_layernorm", "vision_out")
    side = GRID // SHUFFLE
    x = g.node("Reshape", [x, g.ints(-1, side, SHUFFLE, side, SHUFFLE, width)], "unshuffled")
    x = g.node("Transpose", [x], "shuffled", perm=[0, 1, 3, 2, 4, 5])
    x = g.node("Reshape", [x, g.ints(-1, IMAGE_TOKENS, SHUFFLE**2 * width)], "gathered")
    g.linear(x, "model.connector.modality_projection.proj", "image_features")
    g.save(
        path,
        "vision_encoder",
        [info("pixel_values", FLOAT, ["batch_size", "num_images", 3, SIDE, SIDE])],
        [info("image_features", FLOAT, ["num_images_total", IMAGE_TOKENS, TEXT["hidden"]])],
    )


def layer_norm(g: GraphBuilder, x: str, name: str, out: str) -> str:
    inputs = [x, g.weight(f"{name}.weight"), g.weight(f"{name}.bias")]
    return g.node("LayerNormalization", inputs, out, axis=-1, epsilon=VISION["eps"])


def embed_tokens(weights, path: Path) -> None:
    g = GraphBuilder(weights, 32)
    g.node("Gather", [g.weight("model.text_model.embed_tokens.weight"), "input_ids"], "inputs_embeds", axis=0)
    shape = ["batch_size", "sequence_length"]
    g.save(
        path,
        "embed_tokens",
        [info("input_ids", INT64, shape)],
        [info("inputs_embeds", FLOAT, [*shape, TEXT["hidden"]])],
    )


def decoder(weights, bits: int, path: Path) -> None:
    g = GraphBuilder(weights, bits)
    root = "model.text_model"
    cos, sin = (g.constant(n, t.numpy()) for n, t in zip(("cos_cache", "sin_cache"), rotary_tables()))
    # What the attention operator wants to know, from the mask.
    g.node("ReduceSum", ["attention_mask", g.ints(1)], "mask_sums", keepdims=0)
    g.node("Sub", ["mask_sums", g.scalar(1)], "last_positions")
    g.node("Cast", ["last_positions"], "seqlens_k", to=INT32)
    g.node("Shape", ["attention_mask"], "mask_shape")
    g.node("Gather", ["mask_shape", g.scalar(1)], "mask_width", axis=0)
    g.node("Cast", ["mask_width"], "total_sequence_length", to=INT32)

    x = "inputs_embeds"
    norm = dict(axis=-1, epsilon=TEXT["eps"], stash_type=1)
    for i in range(TEXT["layers"]):
        layer, at = f"{root}.layers.{i}", f"t{i}"
        normed = g.node("SimplifiedLayerNormalization", [x, g.weight(f"{layer}.input_layernorm.weight")], f"{at}_norm1", **norm)
        q, k, v = (g.linear(normed, f"{layer}.self_attn.{p}_proj", f"{at}_{p}") for p in "qkv")
        q, k = (
            g.node("RotaryEmbedding", [t, "position_ids", cos, sin], f"{t}_rotated", MICROSOFT, interleaved=0)
            for t in (q, k)
        )
        past = [f"past_key_values.{i}.{kind}" for kind in ("key", "value")]
        present = [f"present.{i}.{kind}" for kind in ("key", "value")]
        attended = g.node(
            "GroupQueryAttention", [q, k, v, *past, "seqlens_k", "total_sequence_length"],
            [f"{at}_attended", *present], MICROSOFT,
            num_heads=TEXT["heads"], kv_num_heads=TEXT["kv_heads"], do_rotary=0,
        )  # fmt: skip
        attended = g.linear(attended, f"{layer}.self_attn.o_proj", f"{at}_attention")
        x = g.node("Add", [x, attended], f"{at}_middle")
        normed = g.node("SimplifiedLayerNormalization", [x, g.weight(f"{layer}.post_attention_layernorm.weight")], f"{at}_norm2", **norm)
        gate = g.linear(normed, f"{layer}.mlp.gate_proj", f"{at}_gate")
        up = g.linear(normed, f"{layer}.mlp.up_proj", f"{at}_up")
        gate = g.node("Mul", [gate, g.node("Sigmoid", [gate], f"{at}_sigmoid")], f"{at}_silu")
        inner = g.node("Mul", [gate, up], f"{at}_inner")
        x = g.node("Add", [x, g.linear(inner, f"{layer}.mlp.down_proj", f"{at}_mlp")], f"{at}_out")
    # The last num_logits_to_keep positions; 0 keeps all.
    start = g.node("Unsqueeze", [g.node("Neg", ["num_logits_to_keep"], "kept_negative"), g.ints(0)], "kept_start")
    end = g.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
    x = g.node("Slice", [x, start, end, g.ints(1)], "kept")
    x = g.node("SimplifiedLayerNormalization", [x, g.weight(f"{root}.norm.weight")], "normed", **norm)
    g.weights = {**weights, "lm_head.weight": weights[f"{root}.embed_tokens.weight"]}
    g.linear(x, "lm_head", "logits", keep=True)

    def cache(name: str, length: str):
        return info(name, FLOAT, ["batch_size", TEXT["kv_heads"], length, TEXT["head_dim"]])

    layers = [f"{i}.{kind}" for i in range(TEXT["layers"]) for kind in ("key", "value")]
    g.save(
        path,
        "decoder_model_merged",
        [
            info("inputs_embeds", FLOAT, ["batch_size", "sequence_length", TEXT["hidden"]]),
            info("attention_mask", INT64, ["batch_size", "total_sequence_length"]),
            info("position_ids", INT64, ["batch_size", "sequence_length"]),
            info("num_logits_to_keep", INT64, []),
            *(cache(f"past_key_values.{name}", "past_sequence_length") for name in layers),
        ],
        [
            info("logits", FLOAT, ["batch_size", "num_logits_to_keep", VOCAB]),
            *(cache(f"present.{name}", "total_sequence_length") for name in layers),
        ],
    )


def load_model(*sources: Path) -> Idefics3:
    """The weights rounded to 16 bits, as the files keep them; computing is in 32."""
    model = Idefics3()
    load_into(model, list(sources))
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    return model.eval()


def export(model: Idefics3, out: Path, decoder_only: bool = False, tokenizer: Path | None = None) -> None:
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    for suffix, bits in (("", 32), ("_q4", 4)):
        decoder(weights, bits, out / f"onnx/decoder_model_merged{suffix}.onnx")
    if decoder_only:
        return
    for name, contents in directory_json().items():
        (out / name).write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    shutil.copy(tokenizer, out / "tokenizer.json")
    positions = model.model.vision_model.embeddings.position_ids.cpu()
    for suffix, bits in (("", 32), ("_q4", 4)):
        vision_encoder(weights, positions, bits, out / f"onnx/vision_encoder{suffix}.onnx")
        embed_tokens(weights, out / f"onnx/embed_tokens{suffix}.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", help="checkpoints or exported directories; later ones may hold a part")
    parser.add_argument("out", type=Path)
    parser.add_argument("--decoder-only", action="store_true", help="write the decoder's two files and nothing else")
    parser.add_argument("--tokenizer", type=Path, default=Path(__file__).parent / "tokenizer.json")
    parser.add_argument("--safetensors", action="store_true", help="also write model.safetensors for transformers")
    args = parser.parse_args()
    model = load_model(*args.sources)
    export(model, args.out, args.decoder_only, args.tokenizer)
    if args.safetensors:
        from safetensors.torch import save_file

        tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(tensors, str(args.out / "model.safetensors"), metadata={"format": "pt"})
    for path in sorted(args.out.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>10} {path.relative_to(args.out)}")


if __name__ == "__main__":
    main()
