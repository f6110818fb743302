"""The language model: `decoder_model_merged`.

    inputs   inputs_embeds float32 [B, S, H], attention_mask int64 [B, P + S], position_ids int64 [B, S] or [3, B, S] (Qwen)
             past_key_values.N.{key,value} [B, kvHeads, P, headDim]
             token_type_ids int64 [B, S] (Gemma 3, PaliGemma): new tokens with the same number above 0 see each other both ways
             deepstack_features.N float32 [B, S, H] (Qwen3-VL): added behind layer N; 0 where no image token is
             num_logits_to_keep int64 [], where asked for
    outputs  logits float32 [B, S, vocabulary], present.N.{key,value} [B, kvHeads, P + S, headDim]
"""

from dataclasses import dataclass

import numpy as np

from builder import FLOAT, FLOAT16, INT64, GraphBuilder
from checkpoint import Checkpoint
from decoders.attention import GroupedAttention, JoinedAttention, cache_of
from decoders.blocks import gated_mlp, norm_heads, ones, rms_norm
from decoders.layer_kind import layer_kind, uses_rotary
from decoders.masks import Masks
from decoders.moe import mixture
from decoders.rotary import Rotary, add_rotary, rope_settings
from decoders.text_config import TextConfig, read_text_config
from precision import Precision

# Of rope_parameters.
SCALING = "llama_4_scaling_beta"


@dataclass(frozen=True)
class DecoderOptions:
    """How published exports differ from each other.

    `positions`: with `position_ids`; without, they are counted in the graph from the mask. `joined`: Concat and products instead of
    GroupQueryAttention. `logits_to_keep`: with the input `num_logits_to_keep`. `both_ways`, `deepstack`: with `token_type_ids` and
    `deepstack_features.N`, where the model type has them.
    """

    positions: bool = True
    joined: bool = False
    logits_to_keep: bool = False
    both_ways: bool = True
    deepstack: bool = True


def build(checkpoint: Checkpoint, precision: Precision, options: DecoderOptions = DecoderOptions()) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "decoder_model_merged")
    _Decoder(g, read_text_config(checkpoint), options).add()
    return g


class _Decoder:
    def __init__(self, g: GraphBuilder, config: TextConfig, options: DecoderOptions):
        self.g, self.config, self.options = g, config, options
        self.gemma = config.type.startswith("gemma")
        family = g.checkpoint.config
        self.deepstack = len(family["vision_config"].get("deepstack_visual_indexes", [])) if options.deepstack else 0
        self.rope = rope_settings(config)
        # Rows of position_ids.
        self.axes = 3 if "mrope_section" in self.rope else 1
        self.both_ways = options.both_ways and (config.type == "gemma3_text" or family["model_type"] == "paligemma")
        self.kinds = [layer_kind(config, layer) for layer in range(config.layers)]
        self.joined = options.joined or self.both_ways or set(self.kinds) != {"full"} or config.type == "gemma2"
        self.temperature: str | None = None

    def add(self) -> None:
        g, config = self.g, self.config
        x = self._inputs()
        self._attention()
        for layer in range(config.layers):
            x = self._layer(layer, x)
            if layer < self.deepstack:
                x = g.node("Add", [x, self.features[layer]], f"t{layer}_deepstack")
        if self.options.logits_to_keep:
            # The last num_logits_to_keep positions; 0 keeps all.
            start = g.node("Unsqueeze", [g.node("Neg", ["num_logits_to_keep"], "kept_negative"), g.ints(0)], "kept_start")
            end = g.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
            x = g.node("Slice", [x, start, end, g.ints(1)], "kept")
        x = g.as_real(rms_norm(g, x, f"{config.root}.norm.weight", config.eps, "normed", self.gemma, full=True))
        logits = g.as_float(g.linear(x, config.head.removesuffix(".weight"), "logits_inside"))
        cap = config.get("final_logit_softcapping")
        if cap is not None:
            cap = g.constant("logits_cap", np.array(cap, np.float32))
            share = g.node("Div", [logits, cap], "logits_share")
            logits = g.node("Mul", [g.node("Tanh", [share], "logits_tanh"), cap], "logits_capped")
        length = "num_logits_to_keep" if self.options.logits_to_keep else "sequence_length"
        g.node("Identity", [logits], "logits")
        g.output("logits", FLOAT, ["batch_size", length, config.vocabulary])
        for layer in range(config.layers):
            cache = cache_of(layer)
            for name in (cache.present_key, cache.present_value):
                g.output(name, self._cache_type(), self._cache_shape("total_sequence_length"))

    def _inputs(self) -> str:
        g, config = self.g, self.config
        new = ["batch_size", "sequence_length"]
        x = g.input("inputs_embeds", FLOAT, [*new, config.hidden])
        g.input("attention_mask", INT64, ["batch_size", "total_sequence_length"])
        if self.options.positions or self.axes == 3:
            g.input("position_ids", INT64, new if self.axes == 1 else [3, *new])
        if self.both_ways:
            g.input("token_type_ids", INT64, new)
        shape = [*new, config.hidden]
        self.features = [g.input(f"deepstack_features.{layer}", FLOAT, shape) for layer in range(self.deepstack)]
        if self.options.logits_to_keep:
            g.input("num_logits_to_keep", INT64, [])
        for layer in range(config.layers):
            cache = cache_of(layer)
            for name in (cache.past_key, cache.past_value):
                g.input(name, self._cache_type(), self._cache_shape("past_sequence_length"))
        return x

    def _attention(self) -> None:
        """Rotary tables and biases, shared by the layers."""
        g, config = self.g, self.config
        scale = config.get("query_pre_attn_scalar", config.head_dim) ** -0.5
        masks = Masks(g, "inputs_embeds") if self.joined or not self._takes_positions() else None
        self.positions = "position_ids" if self._takes_positions() else self._counted(masks.new_positions())
        self.rotary = self._rotary()
        self.grouped = None if self.joined else GroupedAttention(g, config, scale)
        if not self.joined:
            return
        self.plain = JoinedAttention(g, config, scale)
        group = masks.same_group("token_type_ids") if self.both_ways else None
        self.bias = {}
        for kind in sorted(set(self.kinds)):
            visible = {
                "full": lambda: masks.causal,
                "window": lambda: masks.window(config.values["sliding_window"]),
                "chunk": lambda: masks.chunk(config.values["attention_chunk_size"]),
            }[kind]()
            if group is not None and kind == "window" and self._windows_cut_images():
                visible = masks.window(config.values["sliding_window"], g.node("Or", [masks.causal, group], "causal_or_group"))
            elif group is not None:
                visible = g.node("Or", [visible, group], f"visible_{kind}")
            self.bias[kind] = masks.bias(visible, f"bias_{kind}")

    def _windows_cut_images(self) -> bool:
        """Gemma 3's windows hold within an image too, where it is longer than one; PaliGemma 2's prompts see all of themselves."""
        config = self.g.checkpoint.config
        return self.config.type == "gemma3_text" and config.get("mm_tokens_per_image", 256) > self.config.values["sliding_window"]

    def _counted(self, positions: str) -> str:
        """PaliGemma counts from 1."""
        if self.g.checkpoint.config.get("model_type") != "paligemma":
            return positions
        return self.g.node("Add", [positions, self.g.scalar(1)], "positions_from_1")

    def _rotary(self) -> dict[str, Rotary]:
        g, config = self.g, self.config
        interleaved = config.type == "llama4_text"
        tables = {}
        for kind in sorted(set(self.kinds)):
            settings = rope_settings(config, "sliding_attention") if kind == "window" else self.rope
            shared = next((made for known, made in tables.items() if (known == "window") == (kind == "window")), None)
            tables[kind] = shared or add_rotary(g, self.positions, settings, config.head_dim, f"rotary_{kind}", interleaved)
        return tables

    def _layer(self, layer: int, x: str) -> str:
        """`x` and the norms are float32 in every precision: Gemma's values between the layers are beyond float16."""
        g, config = self.g, self.config
        root, at = f"{config.root}.layers.{layer}", f"t{layer}"

        def norm(y: str, name: str, out: str) -> str:
            return rms_norm(g, y, f"{root}.{name}.weight", config.eps, f"{at}_{out}", self.gemma, full=True)

        attended = g.as_float(self._attend(layer, g.as_real(norm(x, "input_layernorm", "norm1")), root, at))
        # Gemma 2 and 3 have a norm behind each half as well, and call the one before the second half otherwise.
        four = config.type in ("gemma2", "gemma3_text")
        if four:
            attended = norm(attended, "post_attention_layernorm", "attention_norm")
        x = g.node("Add", [x, attended], f"{at}_middle")
        normed = norm(x, "pre_feedforward_layernorm" if four else "post_attention_layernorm", "norm2")
        inner = self._feed_forward(layer, g.as_real(normed), root, at)
        if four:
            inner = norm(inner, "post_feedforward_layernorm", "mlp_norm")
        return g.node("Add", [x, inner], f"{at}_out")

    def _attend(self, layer: int, x: str, root: str, at: str) -> str:
        g, config = self.g, self.config
        kind = self.kinds[layer]
        q, k, v = (g.biased(x, f"{root}.self_attn.{p}_proj", f"{at}_{p}") for p in "qkv")
        if f"{root}.self_attn.q_norm.weight" in g.checkpoint:
            q, k = (
                norm_heads(g, y, self._head_scale(root, p), config.head_dim, config.eps, f"{y}_normed")
                for p, y in zip("qk", (q, k))
            )
        if uses_rotary(config, layer):
            q, k = (self.rotary[kind].rotate(g, y, f"{y}_rotated") for y in (q, k))
            if config.get("use_qk_norm", False):
                # Llama 4: without a weight, behind the rotation.
                unit = ones(g, config.head_dim)
                q, k = (norm_heads(g, y, unit, config.head_dim, config.eps, f"{y}_normed") for y in (q, k))
        if self._is_tempered(layer):
            q = g.node("Mul", [q, self._temperature()], f"{q}_tempered")
        cache, out = cache_of(layer), f"{at}_attended"
        if self.grouped is not None:
            attended = self.grouped.add(q, k, v, cache, out)
        else:
            attended = self.plain.add(q, k, v, cache, self.bias[kind], out)
        return g.biased(attended, f"{root}.self_attn.o_proj", f"{at}_attention")

    def _is_tempered(self, layer: int) -> bool:
        """Whether queries grow with the position, so that attention stays sharp over long contexts."""
        if self.config.type == "ministral3":
            return self.rope.get(SCALING) is not None
        return not uses_rotary(self.config, layer) and bool(self.config.get("attn_temperature_tuning", False))

    def _head_scale(self, root: str, projection: str) -> str:
        plus_one = (lambda w: w + 1) if self.gemma else None
        return self.g.weight(f"{root}.self_attn.{projection}_norm.weight", plus_one)

    def _temperature(self) -> str:
        """[B, S, 1], 1 + scale · ln(1 + ⌊place / floor⌋): Llama 4's in layers that know no positions, Ministral 3's in all.

        Llama 4 counts places from 1.
        """
        g, config = self.g, self.config
        if self.temperature is None:
            if config.type == "ministral3":
                reached, floor, scale = self.positions, self.rope["original_max_position_embeddings"], self.rope[SCALING]
            else:
                reached = g.node("Add", [self.positions, g.scalar(1)], "reached")
                floor, scale = config.values["floor_scale"], config.values["attn_scale"]
            steps = g.node("Div", [reached, g.scalar(floor)], "steps")
            steps = g.node("Cast", [g.node("Add", [steps, g.scalar(1)], "steps_1")], "steps_float", to=FLOAT)
            scale = g.constant("attn_scale", np.array(scale, np.float32))
            warmth = g.node("Mul", [g.node("Log", [steps], "steps_log"), scale], "warmth")
            warmth = g.node("Add", [warmth, g.constant("one_float", np.array(1, np.float32))], "temperature_float")
            warmth = g.node("Unsqueeze", [warmth, g.ints(2)], "temperature_each")
            self.temperature = g.node("Cast", [warmth], "temperature", to=g.real)
        return self.temperature

    def _feed_forward(self, layer: int, x: str, root: str, at: str) -> str:
        g, config = self.g, self.config
        if f"{root}.feed_forward.router.weight" in g.checkpoint:
            return mixture(g, x, f"{root}.feed_forward", config, f"{at}_mlp")
        mlp = f"{root}.feed_forward" if config.type == "llama4_text" else f"{root}.mlp"
        return g.as_float(gated_mlp(g, x, mlp, config.activation, f"{at}_mlp"))

    def _takes_positions(self) -> bool:
        return self.options.positions or self.axes == 3

    def _cache_type(self) -> int:
        return FLOAT16 if self.g.precision.half else FLOAT

    def _cache_shape(self, length: str) -> list:
        return ["batch_size", self.config.kv_heads, length, self.config.head_dim]
