"""What config.json says about a language model, with the defaults of the model type for what it leaves out."""

from dataclasses import dataclass
from typing import Any

from checkpoint import Checkpoint, CheckpointError

# Real checkpoints name only what differs from their class: LLaVA 1.5's `text_config` has no sizes at all.
DEFAULTS: dict[str, dict[str, Any]] = {
    "llama": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "hidden_act": "silu",
    },
    "qwen2": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "silu",
    },
    "mistral": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "silu", "sliding_window": 4096,
    },
    "ministral3": {
        "hidden_size": 4096, "num_hidden_layers": 34, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 1000000.0, "hidden_act": "silu",
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0, "original_max_position_embeddings": 16384,
            "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
        },
    },
    "qwen2_vl_text": {
        "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-5, "rope_theta": 1000000.0, "hidden_act": "silu",
    },
    "qwen3_vl_text": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "head_dim": 128, "rms_norm_eps": 1e-6, "rope_theta": 5000000.0, "hidden_act": "silu",
    },
    "gemma": {
        "hidden_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
        "head_dim": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "gelu_pytorch_tanh",
    },
    "gemma2": {
        "hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": 256, "sliding_window": 4096, "sliding_window_pattern": 2,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    },
    "gemma3_text": {
        "hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
        "hidden_act": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "sliding_window_pattern": 6,
    },
    "llama4_text": {
        "hidden_size": 5120, "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8,
        "head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu",
        "num_local_experts": 16, "num_experts_per_tok": 1, "interleave_moe_layer_step": 1,
        "attention_chunk_size": 8192, "use_qk_norm": True, "attn_temperature_tuning": True,
        "floor_scale": 8192, "attn_scale": 0.1, "no_rope_layer_interval": 4,
    },
}  # fmt: skip
ALIASES = {"qwen2_5_vl_text": "qwen2_vl_text", "qwen2_vl": "qwen2_vl_text", "qwen2_5_vl": "qwen2_vl_text",
           "gemma3": "gemma3_text", "llama4": "llama4_text", "qwen3_vl": "qwen3_vl_text"}  # fmt: skip
# What a family's language model is where its config does not say.
TEXT_OF_FAMILY = {
    "llava": "llama", "llava_onevision": "qwen2", "llava_qwen2": "qwen2", "paligemma": "gemma", "idefics3": "llama",
    "smolvlm": "llama", "mistral3": "mistral",
}  # fmt: skip


@dataclass(frozen=True)
class TextConfig:
    """`type`: a key of `DEFAULTS`; `root`: the prefix of the layers' weights; `head`: the weight of the output layer."""

    type: str
    root: str
    head: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    eps: float
    activation: str
    values: dict[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """A setting that only some model types have."""
        value = self.values.get(name)
        return default if value is None else value


def read_text_config(checkpoint: Checkpoint) -> TextConfig:
    """@raise CheckpointError: of an unknown model type, or where config.json and the weights disagree."""
    config = checkpoint.config
    family = config.get("model_type", "")
    # Qwen's first checkpoints have the language model's settings at the top.
    given = config.get("text_config", config)
    named = given.get("model_type") or TEXT_OF_FAMILY.get(family, family)
    if named == "llava_qwen2":
        named = "qwen2"
    kind = ALIASES.get(named, named)
    if kind not in DEFAULTS:
        raise CheckpointError(f'config.json: text_config.model_type is "{named}"; known are {", ".join(DEFAULTS)}')
    # A null is a value too: of a window or a cap it says that there is none.
    values = {**DEFAULTS[kind], **given}
    root = checkpoint.part(
        "model.language_model.layers", "language_model.model.layers", "model.text_model.layers",
        "language_model.layers", "model.layers",
    ).removesuffix(".layers")  # fmt: skip
    embed = f"{root}.embed_tokens.weight"
    # Tied weights are stored once. One that is stored although config.json ties it is not the model's.
    stored = [] if config.get("tie_word_embeddings") is True else ["lm_head.weight", "language_model.lm_head.weight"]
    head = next((name for name in stored if name in checkpoint), embed)
    vocabulary, hidden = checkpoint.shape(embed)
    heads = values["num_attention_heads"]
    result = TextConfig(
        type=kind,
        root=root,
        head=head,
        hidden=hidden,
        layers=values["num_hidden_layers"],
        heads=heads,
        kv_heads=values.get("num_key_value_heads") or heads,
        head_dim=values.get("head_dim") or values["hidden_size"] // heads,
        vocabulary=vocabulary,
        eps=values["rms_norm_eps"],
        activation=values.get("hidden_activation") or values["hidden_act"],
        values=values,
    )
    _check(checkpoint, result)
    return result


def _check(checkpoint: Checkpoint, config: TextConfig) -> None:
    layer = f"{config.root}.layers.{config.layers - 1}"
    for name, width in (("q", config.heads * config.head_dim), ("k", config.kv_heads * config.head_dim)):
        weight = f"{layer}.self_attn.{name}_proj.weight"
        if checkpoint.shape(weight) != (width, config.hidden):
            raise CheckpointError(
                f"{weight} is {list(checkpoint.shape(weight))}, and config.json (with the defaults of {config.type}) "
                f"makes it {[width, config.hidden]}: name head counts and head_dim in text_config"
            )
    if f"{config.root}.layers.{config.layers}.self_attn.q_proj.weight" in checkpoint:
        raise CheckpointError(f"config.json: text_config.num_hidden_layers is {config.layers}, and there are more layers")
