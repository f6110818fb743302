"""Attention over the cache, in two forms.

`GroupedAttention`: com.microsoft.GroupQueryAttention, which is causal by itself and knows a row's length from the mask.
`JoinedAttention`: products over `present = Concat(past, new)` with a bias of its own, for what is not plain causal attention.
"""

from dataclasses import dataclass

from builder import FLOAT, FLOAT16, INT32, MICROSOFT, GraphBuilder
from decoders.text_config import TextConfig


@dataclass(frozen=True)
class Cache:
    """Names of one layer's inputs and outputs, [B, kvHeads, tokens, headDim]."""

    past_key: str
    past_value: str
    present_key: str
    present_value: str


def cache_of(layer: int) -> Cache:
    past, present = f"past_key_values.{layer}", f"present.{layer}"
    return Cache(f"{past}.key", f"{past}.value", f"{present}.key", f"{present}.value")


class GroupedAttention:
    def __init__(self, g: GraphBuilder, config: TextConfig, scale: float):
        self.g, self.config, self.scale = g, config, scale
        # What the operator wants to know, from the mask.
        sums = g.node("ReduceSum", ["attention_mask", g.ints(1)], "mask_sums", keepdims=0)
        last = g.node("Sub", [sums, g.scalar(1)], "last_positions")
        self.lengths = g.node("Cast", [last], "seqlens_k", to=INT32)
        width = g.node("Gather", [g.node("Shape", ["attention_mask"], "mask_shape"), g.scalar(1)], "mask_width", axis=0)
        self.total = g.node("Cast", [width], "total_sequence_length", to=INT32)

    def add(self, q: str, k: str, v: str, cache: Cache, out: str) -> str:
        """q, k, v [B, S, heads · headDim], rotated → [B, S, heads · headDim]"""
        return self.g.node(
            "GroupQueryAttention", [q, k, v, cache.past_key, cache.past_value, self.lengths, self.total],
            [out, cache.present_key, cache.present_value], MICROSOFT,
            num_heads=self.config.heads, kv_num_heads=self.config.kv_heads, do_rotary=0, scale=self.scale,
        )  # fmt: skip


class JoinedAttention:
    def __init__(self, g: GraphBuilder, config: TextConfig, scale: float):
        self.g, self.config, self.scale = g, config, scale

    def add(self, q: str, k: str, v: str, cache: Cache, bias: str, out: str) -> str:
        """As `GroupedAttention.add`. `bias`: added to the scores, [B, 1, S, P + S]."""
        g, config = self.g, self.config
        q = self._by_head(g.node("Mul", [q, g.float_scalar(self.scale)], f"{out}_q_scaled"), config.heads, f"{out}_q")
        k = self._by_head(k, config.kv_heads, f"{out}_k")
        v = self._by_head(v, config.kv_heads, f"{out}_v")
        g.node("Concat", [cache.past_key, k], cache.present_key, axis=2)
        g.node("Concat", [cache.past_value, v], cache.present_value, axis=2)
        keys = self._repeated(cache.present_key, f"{out}_keys")
        keys = g.node("Transpose", [keys], f"{out}_keys_last", perm=[0, 1, 3, 2])
        scores = self._capped(g.node("MatMul", [q, keys], f"{out}_scores"), out)
        scores = g.node("Add", [scores, bias], f"{out}_biased")
        weights = g.node("Softmax", [scores], f"{out}_weights", axis=-1)
        x = g.node("MatMul", [weights, self._repeated(cache.present_value, f"{out}_values")], f"{out}_context")
        x = g.node("Transpose", [x], f"{out}_context_last", perm=[0, 2, 1, 3])
        return g.node("Reshape", [x, g.ints(0, 0, config.heads * config.head_dim)], out)

    def _capped(self, scores: str, out: str) -> str:
        """Gemma 2: cap · tanh(scores / cap)."""
        cap = self.config.get("attn_logit_softcapping")
        if cap is None:
            return scores
        g, factor = self.g, self.g.float_scalar(float(cap))
        share = g.node("Div", [scores, factor], f"{out}_scores_share")
        return g.node("Mul", [g.node("Tanh", [share], f"{out}_scores_tanh"), factor], f"{out}_scores_capped")

    def _by_head(self, x: str, heads: int, out: str) -> str:
        shape = self.g.ints(0, 0, heads, self.config.head_dim)
        return self.g.node("Transpose", [self.g.node("Reshape", [x, shape], f"{out}_split")], out, perm=[0, 2, 1, 3])

    def _repeated(self, x: str, out: str) -> str:
        """Each key or value head as often as query heads share it."""
        g, config = self.g, self.config
        group = config.heads // config.kv_heads
        if group == 1:
            return x
        x = g.node("Unsqueeze", [x, g.ints(2)], f"{out}_unsqueezed")
        x = g.node("Expand", [x, g.ints(1, 1, group, 1, 1)], f"{out}_expanded")
        return g.node("Reshape", [x, g.ints(0, config.heads, -1, config.head_dim)], out)
