"""Sizes of the model, and the JSON files of a model directory that follow from them."""

import tokenizer as tok

SIDE = 144
PATCH = 8
GRID = SIDE // PATCH
SHUFFLE = 2
IMAGE_TOKENS = (GRID // SHUFFLE) ** 2

VISION = dict(hidden=192, mlp=576, layers=6, heads=6, eps=1e-6)
TEXT = dict(hidden=192, mlp=384, layers=7, heads=6, kv_heads=2, head_dim=32, eps=1e-5, theta=10_000.0)
# The tokenizer's size, rounded up.
VOCAB = 1408
CONTEXT = 1024

# Ends the names of the graphs' weights that are kept in 16 bits.
HALVED = "_f16"

CHAT_TEMPLATE = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}:{% if m['content'] is string %} "
    "{{ m['content'] }}{% else %}{% if m['content'][0]['type'] != 'image' %} {% endif %}"
    "{% for p in m['content'] %}{% if p['type'] == 'image' %}<image>{% else %}{{ p['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def config_json() -> dict:
    return {
        "architectures": ["Idefics3ForConditionalGeneration"],
        "model_type": "idefics3",
        "image_token_id": tok.IMAGE,
        "scale_factor": SHUFFLE,
        "pad_token_id": tok.PAD,
        "tie_word_embeddings": True,
        "text_config": {
            "model_type": "llama",
            "hidden_size": TEXT["hidden"],
            "intermediate_size": TEXT["mlp"],
            "num_hidden_layers": TEXT["layers"],
            "num_attention_heads": TEXT["heads"],
            "num_key_value_heads": TEXT["kv_heads"],
            "head_dim": TEXT["head_dim"],
            "vocab_size": VOCAB,
            "rope_theta": TEXT["theta"],
            "rms_norm_eps": TEXT["eps"],
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "tie_word_embeddings": True,
            "max_position_embeddings": CONTEXT,
            "bos_token_id": tok.BOS,
            "eos_token_id": tok.EOS,
            "pad_token_id": tok.PAD,
        },
        "vision_config": {
            "model_type": "idefics3_vision",
            "hidden_size": VISION["hidden"],
            "intermediate_size": VISION["mlp"],
            "num_hidden_layers": VISION["layers"],
            "num_attention_heads": VISION["heads"],
            "num_channels": 3,
            "image_size": SIDE,
            "patch_size": PATCH,
            "hidden_act": "gelu",
            "layer_norm_eps": VISION["eps"],
            "attention_dropout": 0.0,
        },
    }


def directory_json() -> dict[str, dict]:
    """File name → contents."""
    return {
        "config.json": config_json(),
        "generation_config.json": {
            "bos_token_id": tok.BOS,
            "eos_token_id": [tok.EOS],
            "pad_token_id": tok.PAD,
            "do_sample": False,
            "max_new_tokens": 256,
        },
        "preprocessor_config.json": {
            "image_processor_type": "Idefics3ImageProcessor",
            "processor_class": "Idefics3Processor",
            "do_convert_rgb": True,
            "do_image_splitting": False,
            "do_resize": False,
            "do_rescale": True,
            "do_normalize": True,
            "do_pad": True,
            "rescale_factor": 1 / 255,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "resample": 1,
            "size": {"longest_edge": SIDE},
            "max_image_size": {"longest_edge": SIDE},
        },
        "processor_config.json": {"processor_class": "Idefics3Processor", "image_seq_len": IMAGE_TOKENS},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "processor_class": "Idefics3Processor",
            "add_bos_token": False,
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,
            "bos_token": "<|im_start|>",
            "eos_token": "<end_of_utterance>",
            "pad_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
            "model_max_length": CONTEXT,
            "chat_template": CHAT_TEMPLATE,
        },
    }
