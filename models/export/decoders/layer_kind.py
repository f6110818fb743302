"""What each layer of a language model sees, and whether it knows positions."""

from decoders.text_config import TextConfig


def layer_kind(config: TextConfig, layer: int) -> str:
    """`full`, `window` (sliding) or `chunk`."""
    names = {"full_attention": "full", "sliding_attention": "window", "chunked_attention": "chunk"}
    types = config.get("layer_types")
    if types is not None:
        kind = names[types[layer]]
    elif config.get("sliding_window_pattern") is not None:
        kind = "full" if (layer + 1) % config.values["sliding_window_pattern"] == 0 else "window"
    elif config.type == "llama4_text":
        kind = "chunk" if uses_rotary(config, layer) else "full"
    elif config.type in ("mistral", "ministral3"):
        # All layers have the window, where there is one.
        kind = "window"
    else:
        kind = "full"
    sizes = {"window": "sliding_window", "chunk": "attention_chunk_size"}
    return kind if kind == "full" or config.get(sizes[kind]) is not None else "full"


def uses_rotary(config: TextConfig, layer: int) -> bool:
    """False in the layers of Llama 4 (SmolLM3 too) that know no positions."""
    listed = config.get("no_rope_layers")
    if listed:
        return bool(listed[layer])
    interval = config.get("no_rope_layer_interval")
    return interval is None or (layer + 1) % interval != 0
