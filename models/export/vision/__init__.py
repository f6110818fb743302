"""Vision graphs, a module a tower.

Every module of a family's vision graph has `build(checkpoint, precision) -> GraphBuilder`, with inputs and outputs declared
(`g.real_input("pixel_values", [...])`, `g.real_output(x, "image_features", [...])`), ready to `save`. It is found by
`VISION` in models/export/export.py, by config.json's `model_type`.
"""
