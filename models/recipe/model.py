"""Idefics3 in plain PyTorch, sized by model_config.py. Parameters are named as transformers names them.

Images are square and whole, so attention masks over patches are left out; everything else computes what
`Idefics3ForConditionalGeneration` computes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from model_config import CONTEXT, GRID, IMAGE_TOKENS, PATCH, SHUFFLE, TEXT, VISION, VOCAB
from tokenizer import IMAGE

def attend(q, k, v, causal: bool):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    weights = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if causal:
        length = q.shape[-2]
        weights = weights + torch.full((length, length), float("-inf")).triu(1)
    return weights.softmax(-1) @ v


class VisionAttention(nn.Module):
    def __init__(self):
        super().__init__()
        width = VISION["hidden"]
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        shape = (batch, length, VISION["heads"], -1)
        q, k, v = (p(x).view(shape).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(attend(q, k, v, causal=False).transpose(1, 2).reshape(batch, length, width))


class VisionMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(VISION["hidden"], VISION["mlp"])
        self.fc2 = nn.Linear(VISION["mlp"], VISION["hidden"])

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(VISION["hidden"], eps=VISION["eps"])
        self.self_attn = VisionAttention()
        self.layer_norm2 = nn.LayerNorm(VISION["hidden"], eps=VISION["eps"])
        self.mlp = VisionMLP()

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class VisionEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, VISION["hidden"], PATCH, PATCH)
        self.position_embedding = nn.Embedding(GRID * GRID, VISION["hidden"])
        self.register_buffer("position_ids", torch.arange(GRID * GRID), persistent=False)

    def forward(self, pixels):
        batch = pixels.shape[0]
        # The convolution as one matrix product: patches do not overlap.
        patches = pixels.view(batch, 3, GRID, PATCH, GRID, PATCH).permute(0, 2, 4, 1, 3, 5)
        weight = self.patch_embedding.weight.flatten(1)
        embedded = F.linear(patches.reshape(batch, GRID * GRID, -1), weight, self.patch_embedding.bias)
        return embedded + self.position_embedding(self.position_ids)


class VisionModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = VisionEmbeddings()
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(VisionLayer() for _ in range(VISION["layers"]))
        self.post_layernorm = nn.LayerNorm(VISION["hidden"], eps=VISION["eps"])

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x)


class Connector(nn.Module):
    """Pixel shuffle, which brings neighbouring patches together, then one matrix."""

    def __init__(self):
        super().__init__()
        self.modality_projection = nn.Module()
        self.modality_projection.proj = nn.Linear(VISION["hidden"] * SHUFFLE**2, TEXT["hidden"], bias=False)

    def forward(self, x):
        batch, _, width = x.shape
        side = GRID // SHUFFLE
        x = x.view(batch, side, SHUFFLE, side, SHUFFLE, width).permute(0, 1, 3, 2, 4, 5)
        return self.modality_projection.proj(x.reshape(batch, side * side, SHUFFLE**2 * width))


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(TEXT["hidden"]))

    def forward(self, x):
        wide = x.float()
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + TEXT["eps"])
        return (self.weight * normed).to(x.dtype)


def rotary_tables(length: int = CONTEXT):
    half = TEXT["head_dim"] // 2
    frequencies = 1.0 / TEXT["theta"] ** (torch.arange(half, dtype=torch.float32) / half)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """`x` [batch, heads, length, head_dim]; halves are paired, as Llama pairs them."""
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, other * cos + one * sin], dim=-1)


class TextAttention(nn.Module):
    def __init__(self):
        super().__init__()
        width, dim = TEXT["hidden"], TEXT["head_dim"]
        self.q_proj = nn.Linear(width, TEXT["heads"] * dim, bias=False)
        self.k_proj = nn.Linear(width, TEXT["kv_heads"] * dim, bias=False)
        self.v_proj = nn.Linear(width, TEXT["kv_heads"] * dim, bias=False)
        self.o_proj = nn.Linear(TEXT["heads"] * dim, width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        heads, kv, dim = TEXT["heads"], TEXT["kv_heads"], TEXT["head_dim"]
        q = rotate(self.q_proj(x).view(batch, length, heads, dim).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(batch, length, kv, dim).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(batch, length, kv, dim).transpose(1, 2)
        k, v = (t.repeat_interleave(heads // kv, dim=1) for t in (k, v))
        return self.o_proj(attend(q.to(v.dtype), k.to(v.dtype), v, causal=True).transpose(1, 2).reshape(batch, length, -1))


class TextMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = nn.Linear(TEXT["hidden"], TEXT["mlp"], bias=False)
        self.up_proj = nn.Linear(TEXT["hidden"], TEXT["mlp"], bias=False)
        self.down_proj = nn.Linear(TEXT["mlp"], TEXT["hidden"], bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class TextLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = RMSNorm()
        self.self_attn = TextAttention()
        self.post_attention_layernorm = RMSNorm()
        self.mlp = TextMLP()

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class TextModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCAB, TEXT["hidden"])
        self.layers = nn.ModuleList(TextLayer() for _ in range(TEXT["layers"]))
        self.norm = RMSNorm()


class Idefics3(nn.Module):
    """`state_dict()` loads into `Idefics3ForConditionalGeneration`, but for the tied `lm_head`."""

    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.vision_model = VisionModel()
        self.model.connector = Connector()
        self.model.text_model = TextModel()
        cos, sin = rotary_tables()
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.apply(initialize)

    def encode_images(self, pixels):
        """`[images, 3, side, side]`, normalized → `[images, tokens, hidden]`."""
        return self.model.connector(self.model.vision_model(pixels))

    def forward(self, pixels, ids, doubles: int, chosen=None):
        """
        `pixels`: the first image of every row (anything where a row has none), then the second image of the first
        `doubles` rows. `chosen`: positions of the flattened ids whose logits are wanted; None for all.
        """
        images = self.encode_images(pixels)
        rows, length = ids.shape
        text = self.model.text_model
        x = text.embed_tokens(ids)
        shown = ids == IMAGE
        place = shown.cumsum(1) - 1
        row = torch.arange(rows, device=ids.device)[:, None]
        # Which image token of all: the row's own image, or its second one behind those of all rows.
        source = row * IMAGE_TOKENS + place.clamp(0, IMAGE_TOKENS - 1)
        if doubles:
            second = (rows + row.clamp(max=doubles - 1)) * IMAGE_TOKENS + place.clamp(min=IMAGE_TOKENS) - IMAGE_TOKENS
            source = torch.where(place < IMAGE_TOKENS, source, second)
        x = torch.where(shown[..., None], images.flatten(0, 1).to(x.dtype)[source], x)
        cos, sin = self.cos[:length], self.sin[:length]
        for layer in text.layers:
            x = layer(x, cos, sin)
        if chosen is not None:
            x = x.flatten(0, 1)[chosen]
        return F.linear(text.norm(x), text.embed_tokens.weight)


def initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5 * 0.8)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=(3 * PATCH * PATCH) ** -0.5)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.05)


@torch.no_grad()
def greedy(model: Idefics3, pixels, prompt_ids: list[int], eos: int, most: int = 256) -> list[int]:
    """One prompt with one or two pictures; no cache, in the model's precision. The answer without its end token."""
    ids = list(prompt_ids)
    for _ in range(most):
        doubles = 1 if pixels.shape[0] == 2 else 0
        logits = model(pixels, torch.tensor([ids], device=pixels.device), doubles, [len(ids) - 1])
        token = int(logits[-1].argmax())
        if token == eos:
            break
        ids.append(token)
    return ids[len(prompt_ids) :]
