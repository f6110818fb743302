"""A checkpoint in PyTorch, as transformers runs it: what the exported graphs are compared with."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

# Processors that want one list of images for each prompt; the others take all images in one list.
NESTED = ("gemma3", "idefics3", "smolvlm", "paligemma")


@dataclass(frozen=True)
class Run:
    """`embeds` [S, H]: what goes into the first layer, image features in their places; `logits` [vocabulary]: behind the prompt."""

    embeds: np.ndarray
    logits: np.ndarray
    greedy: list[int]
    smallest_gap: float


# Names by which Gemma 3's processor asks its tokenizer for control tokens. Checkpoints that save_pretrained wrote from a plain
# tokenizer have the tokens, and not these names.
GEMMA3_NAMES = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}


def load_processor(checkpoint: Path):
    names = checkpoint / "tokenizer_config.json"
    config = json.loads(names.read_text(encoding="utf-8"))
    family = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))["model_type"]
    if family != "gemma3" or "boi_token" in config:
        return AutoProcessor.from_pretrained(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        for file in checkpoint.glob("*.json*"):
            shutil.copyfile(file, Path(folder) / file.name)
        for file in checkpoint.glob("*.jinja"):
            shutil.copyfile(file, Path(folder) / file.name)
        (Path(folder) / names.name).write_text(json.dumps(config | GEMMA3_NAMES), encoding="utf-8")
        return AutoProcessor.from_pretrained(folder)


class Reference:
    def __init__(self, checkpoint: Path):
        self.processor = load_processor(checkpoint)
        self.model = AutoModelForImageTextToText.from_pretrained(
            checkpoint, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        self.family = self.model.config.model_type
        layers = (module for name, module in self.model.named_modules()
                  if type(module).__name__.endswith("DecoderLayer") and name.endswith("layers.0"))  # fmt: skip
        next(layers).register_forward_pre_hook(self._heard, with_kwargs=True)
        self._embeds: list[torch.Tensor] = []

    def process(self, prompt: str, images: list[Path]) -> dict[str, torch.Tensor]:
        """What the family's processor makes of a prompt; floats in float32."""
        opened = [Image.open(path).convert("RGB") for path in images]
        if not opened:
            inputs = self.processor(text=[prompt], return_tensors="pt")
        else:
            nested = [opened] if self.family in NESTED else opened
            inputs = self.processor(text=[prompt], images=nested, return_tensors="pt")
        return {name: value.float() if value.is_floating_point() else value for name, value in inputs.items()
                if isinstance(value, torch.Tensor)}  # fmt: skip

    @torch.no_grad()
    def run(self, inputs: dict[str, torch.Tensor], count: int) -> Run:
        """Greedy, `count` tokens, none of which ends the answer."""
        self._embeds = []
        # Of a checkpoint without an end token there is none to hold back.
        ends = self.model.generation_config.eos_token_id
        held = {} if ends is None else {"min_new_tokens": count}
        out = self.model.generate(
            **inputs, do_sample=False, max_new_tokens=count, pad_token_id=0, **held,
            return_dict_in_generate=True, output_logits=True, output_scores=True,
        )  # fmt: skip
        two = torch.stack(out.scores).float().topk(2, dim=-1).values
        return Run(
            embeds=self._embeds[0][0].numpy(),
            logits=out.logits[0][0].float().numpy(),
            greedy=out.sequences[0, inputs["input_ids"].shape[1] :].tolist(),
            smallest_gap=float((two[..., 0] - two[..., 1]).min()),
        )

    def _heard(self, _module, args, kwargs) -> None:
        self._embeds.append((args[0] if args else kwargs["hidden_states"]).detach())


def as_arrays(inputs: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in inputs.items()}
