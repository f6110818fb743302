"""PaliGemma: SigLIP and a linear projector (transformers models/paligemma).

    pixel_values [images, 3, size, size] → image_features [images, patches, hidden]

The features are what goes into the first layer of the language model. (Releases before 5 divided them by √hidden here, and
multiplied all embeddings by it within the language model.)
"""

from builder import GraphBuilder
from checkpoint import Checkpoint
from precision import Precision
from vision.encoder import tower_root
from vision.llava import FEATURES, pixel_input
from vision.siglip import read_siglip, siglip_output


def build(checkpoint: Checkpoint, precision: Precision) -> GraphBuilder:
    g = GraphBuilder(checkpoint, precision, "vision_encoder")
    tower = read_siglip(checkpoint, tower_root(checkpoint, "vision_tower"))
    name = f"{checkpoint.part('multi_modal_projector', 'model.multi_modal_projector')}.linear"
    projected = g.biased(siglip_output(g, pixel_input(g, tower), tower), name, "vision_projected")
    g.real_output(projected, FEATURES, ["num_images", tower.side**2, checkpoint.shape(f"{name}.weight")[0]])
    return g
