"""Runs an exported model directory with onnxruntime, on what a transformers processor makes of a prompt: for checks."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

# The model types whose prompt tokens may see each other both ways.
BOTH_WAYS = ("gemma3", "paligemma")


class ExportedModel:
    """One dtype of a model directory."""

    def __init__(self, folder: Path, suffix: str = ""):
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.preprocessor = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        self.family = self.config["model_type"]
        self.image_token = self.config.get("image_token_id", self.config.get("image_token_index"))
        self.decoder = open_graph(folder, f"decoder_model_merged{suffix}")
        self.integrated = any(one.name == "input_ids" for one in self.decoder.get_inputs())
        self.vision = self.decoder if self.integrated else open_graph(folder, f"vision_encoder{suffix}")
        self.embed = None if self.integrated else open_graph(folder, f"embed_tokens{suffix}")

    def features(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of the vision graph, [rows, H] each, for the images of one prompt. Empty without images."""
        parts = [self._run(self.vision, feeds) for feeds in self._vision_feeds(inputs)]
        if not parts:
            return {}
        return {name: np.concatenate([flat(part[name]) for part in parts]) for name in parts[0]}

    def embeds(self, input_ids: np.ndarray) -> np.ndarray:
        return self._run(self.embed, {"input_ids": input_ids})["inputs_embeds"]

    def prefill(self, inputs: dict[str, np.ndarray]) -> "Answer":
        """Runs the prompt. `inputs`: `input_ids` [1, S] and what else the processor made."""
        ids = inputs["input_ids"].astype(np.int64)
        names = {one.name for one in self.decoder.get_inputs()}
        if self.integrated:
            feeds = {"input_ids": ids, **(self._vision_feeds(inputs) or [self.no_pixels()])[0]}
        else:
            feeds = self._merged(ids, inputs, names)
        positions, following = self._positions(ids[0], inputs.get("image_grid_thw"))
        feeds["attention_mask"] = np.ones_like(ids)
        if "position_ids" in names:
            feeds["position_ids"] = positions
        if "token_type_ids" in names:
            feeds["token_type_ids"] = self._groups(ids[0])[None]
        if "num_logits_to_keep" in names:
            feeds["num_logits_to_keep"] = np.array(1, np.int64)
        return Answer(self, feeds, following)

    def no_pixels(self) -> dict[str, np.ndarray]:
        """What a decoder with integrated encoding is fed where there is no image."""
        types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": bool}
        return {
            one.name: np.zeros([size if isinstance(size, int) else 0 for size in one.shape], types[one.type])
            for one in self.decoder.get_inputs()
            if one.name in ("pixel_values", "pixel_attention_mask", "image_grid_thw")
        }

    def _merged(self, ids: np.ndarray, inputs: dict[str, np.ndarray], names: set[str]) -> dict[str, np.ndarray]:
        """Embeddings of the prompt with image features in their places, and the other features that the decoder takes."""
        features = self.features(inputs)
        here = ids[0] == self.image_token
        embeds = self.embeds(ids).copy()
        feeds = {"inputs_embeds": embeds}
        if features:
            rows = features["image_features"]
            if rows.shape[0] != here.sum():
                raise ValueError(f"the vision graph gives {rows.shape[0]} rows, and the prompt has {here.sum()} image tokens")
            embeds[0, here] = rows
        for name in sorted(names):
            if name.startswith("deepstack_features."):
                feeds[name] = np.zeros_like(embeds)
                if features:
                    feeds[name][0, here] = features[name]
        return feeds

    def _groups(self, ids: np.ndarray) -> np.ndarray:
        if self.family == "paligemma":
            return np.ones_like(ids)
        here = ids == self.image_token
        begins = here & ~np.concatenate([[False], here[:-1]])
        return np.where(here, np.cumsum(begins), 0)

    def _positions(self, ids: np.ndarray, grids: np.ndarray | None) -> tuple[np.ndarray, int]:
        """`position_ids` of the prompt, and the first answer token's."""
        if not self.family.startswith("qwen"):
            # PaliGemma counts from 1.
            first = 1 if self.family == "paligemma" else 0
            return first + np.arange(len(ids), dtype=np.int64)[None], first + len(ids)
        merge = self.config["vision_config"]["spatial_merge_size"]
        result = np.zeros((3, len(ids)), np.int64)
        place, following, image = 0, 0, 0
        while place < len(ids):
            if ids[place] != self.image_token:
                result[:, place] = following
                place, following = place + 1, following + 1
                continue
            t, h, w = (int(size) for size in grids[image])
            grid = np.indices((t, h // merge, w // merge)).reshape(3, -1)
            result[:, place : place + grid.shape[1]] = following + grid
            place, image = place + grid.shape[1], image + 1
            following += max(t, h // merge, w // merge)
        return result[:, None], following

    def _vision_feeds(self, inputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
        pixels = inputs.get("pixel_values")
        if pixels is None:
            return []
        pixels = pixels.astype(np.float32)
        if self.family == "llava_onevision":
            return [
                {"pixel_values": tiles[: self._tiles(size)], "image_sizes": size[None].astype(np.int64)}
                for tiles, size in zip(pixels, inputs["image_sizes"])
            ]
        if self.family == "mistral3":
            # Images of one prompt are padded to the largest; the graph takes them one by one, as they are.
            return [
                {"pixel_values": image[None, :, : int(height), : int(width)]}
                for image, (height, width) in zip(pixels, inputs["image_sizes"])
            ]
        feeds = {"pixel_values": pixels}
        types = {one.name: one.type for one in self.vision.get_inputs()}
        for name, source in (("image_grid_thw", "image_grid_thw"), ("grid_thw", "image_grid_thw"), ("pixel_attention_mask",) * 2):
            if name in types and source in inputs:
                feeds[name] = inputs[source].astype(bool if types[name] == "tensor(bool)" else np.int64)
        return [feeds]

    def _tiles(self, size: np.ndarray) -> int:
        """Tiles of an image of this height and width, the shrunk whole included (LLaVA-OneVision)."""
        height, width = (int(side) for side in size)
        side = self.config["vision_config"]["image_size"]

        def fit(canvas: list[int]) -> tuple[int, int]:
            scale = min(canvas[1] / width, canvas[0] / height)
            used = min(int(width * scale) * int(height * scale), width * height)
            return used, used - canvas[0] * canvas[1]

        canvas = max(self.config["image_grid_pinpoints"], key=fit)
        return 1 + (canvas[0] // side) * (canvas[1] // side)

    def _run(self, session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))


class Answer:
    """A prompt that has been run, and the tokens behind it. `logits` [vocabulary]: behind the last token."""

    def __init__(self, model: ExportedModel, feeds: dict[str, np.ndarray], following: int):
        self.model = model
        self.following = following
        self.feeds = feeds
        self.past = {
            one.name: np.zeros((1, one.shape[1], 0, one.shape[3]), np.float16 if "float16" in one.type else np.float32)
            for one in model.decoder.get_inputs()
            if one.name.startswith("past_key_values.")
        }
        self.logits = self._run(feeds)

    def greedy(self, count: int, refused: set[int]) -> list[int]:
        """The likeliest tokens; `refused` are never taken."""
        tokens = []
        for _ in range(count):
            logits = self.logits.copy()
            # The tiny checkpoints' classes name end tokens that their vocabularies do not have.
            logits[[token for token in refused if token < len(logits)]] = -np.inf
            tokens.append(int(logits.argmax()))
            self.step(tokens[-1])
        return tokens

    def step(self, token: int) -> None:
        ids = np.array([[token]], np.int64)
        shape = (3, 1, 1) if self.feeds.get("position_ids", ids).ndim == 3 else (1, 1)
        new = self.model.no_pixels() if self.model.integrated else {"inputs_embeds": self.model.embeds(ids)}
        new |= {
            "input_ids": ids,
            "attention_mask": np.ones((1, self.feeds["attention_mask"].shape[1] + 1), np.int64),
            "position_ids": np.full(shape, self.following, np.int64),
            "token_type_ids": np.zeros((1, 1), np.int64),
            "num_logits_to_keep": np.array(1, np.int64),
        }
        # What is left are features of images, of which there are none.
        self.feeds = {name: new[name] if name in new else np.zeros_like(new["inputs_embeds"]) for name in self.feeds}
        self.following += 1
        self.logits = self._run(self.feeds)

    def _run(self, feeds: dict[str, np.ndarray]) -> np.ndarray:
        outputs = self.model._run(self.model.decoder, {**feeds, **self.past})
        self.past = {name: outputs[name.replace("past_key_values", "present")] for name in self.past}
        return outputs["logits"][0, -1]


def open_graph(folder: Path, name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(folder / "onnx" / f"{name}.onnx"), providers=["CPUExecutionProvider"])


def flat(features: np.ndarray) -> np.ndarray:
    return features.reshape(-1, features.shape[-1])
