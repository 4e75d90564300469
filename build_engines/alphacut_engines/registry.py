"""The networks Alphacut knows: models as data.

The recipes are rembg's, so that masks are rembg's: it divides every picture by its own maximum, whatever the
authors did in training.
"""

from __future__ import annotations

from pathlib import Path

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_core.normalisation import IMAGENET_MEAN, IMAGENET_STD
from alphacut_engines.recipe import Download, ModelRecipe

_BUNDLED_WEIGHTS = Path(__file__).parent / "weights"
_REMBG = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
_HALF = (0.5, 0.5, 0.5)
_ONE = (1.0, 1.0, 1.0)


def _rembg(file: str, checksum: str, size_bytes: int | None = None) -> Download:
    return Download(url=f"{_REMBG}/{file}", file=file, size_bytes=size_bytes, checksum=checksum)


BUNDLED = ModelRecipe(
    name="alphacut-u2netp",
    engine=DEFAULT_PIPELINE.engine,
    architecture="u2netp",
    size=320,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    scaling="image_max",
    output=0,
    channels=1,
    activation="none",
    stretch="min_max",
    licence="Apache-2.0",
    commercial=True,
    weights=_BUNDLED_WEIGHTS / "alphacut-u2netp.onnx",
)

_PUBLISHED = (
    ModelRecipe(
        name="u2net",
        engine="u2net",
        architecture="u2net",
        size=320,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="Apache-2.0",
        commercial=True,
        weights=_rembg("u2net.onnx", "md5:60024c5c889badc19c04ad937298a77b"),
    ),
    ModelRecipe(
        # The bundled network holds the name u2netp on the wire: docs/decisions/0009.
        name="u2netp",
        engine="u2netp-published",
        architecture="u2netp",
        size=320,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="Apache-2.0",
        commercial=True,
        weights=_rembg("u2netp.onnx", "md5:8e83ca70e441ab06c318d82300c84806", 4_574_861),
    ),
    ModelRecipe(
        name="u2net_human_seg",
        engine="u2net_human_seg",
        architecture="u2net",
        size=320,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="Apache-2.0",
        commercial=True,
        weights=_rembg("u2net_human_seg.onnx", "md5:c09ddc2e0104f800e3e1bb4652583d1f"),
    ),
    # All clothes together: rembg's category "attire".
    ModelRecipe(
        name="u2net_cloth_seg",
        engine="u2net_cloth_seg",
        architecture="u2net",
        size=768,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=4,
        activation="argmax",
        stretch="none",
        licence="MIT",
        commercial=True,
        weights=_rembg("u2net_cloth_seg.onnx", "md5:2434d1f3cb744e0e49386c906e5a08bb"),
    ),
    ModelRecipe(
        # Published in an issue of the U-2-Net repository that states no licence.
        name="silueta",
        engine="silueta",
        architecture="u2net",
        size=320,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="NOASSERTION",
        commercial=False,
        weights=_rembg("silueta.onnx", "md5:55e59e0d8062d2f5d013f4725ee84782"),
    ),
    ModelRecipe(
        name="isnet-general-use",
        engine="isnet-general-use",
        architecture="isnet",
        size=1024,
        mean=_HALF,
        std=_ONE,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="Apache-2.0",
        commercial=True,
        weights=_rembg("isnet-general-use.onnx", "md5:fc16ebd8b0c10d971d3513d564d01e29"),
    ),
    ModelRecipe(
        name="isnet-anime",
        engine="isnet-anime",
        architecture="isnet",
        size=1024,
        mean=IMAGENET_MEAN,
        std=_ONE,
        scaling="image_max",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="Apache-2.0",
        commercial=True,
        weights=_rembg("isnet-anime.onnx", "md5:6f184e756bb3bd901c8849220a83e38e"),
    ),
    ModelRecipe(
        name="rmbg-1.4",
        engine="rmbg-1.4",
        architecture="isnet",
        size=1024,
        mean=_HALF,
        std=_ONE,
        scaling="255",
        output=0,
        channels=1,
        activation="none",
        stretch="min_max",
        licence="LicenseRef-BRIA-RMBG-1.4",
        commercial=False,
        weights=Download(
            url="https://huggingface.co/briaai/RMBG-1.4/resolve/main/onnx/model.onnx",
            file="rmbg-1.4.onnx",
            size_bytes=None,
            checksum=None,
        ),
    ),
    ModelRecipe(
        name="birefnet-general-lite",
        engine="birefnet-general-lite",
        architecture="birefnet",
        size=1024,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        scaling="image_max",
        output=0,
        channels=1,
        activation="sigmoid",
        stretch="min_max",
        licence="MIT",
        commercial=True,
        weights=_rembg("BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx", "md5:4fab47adc4ff364be1713e97b7e66334"),
    ),
    ModelRecipe(
        name="modnet",
        engine="modnet",
        architecture="modnet",
        size=512,
        mean=_HALF,
        std=_HALF,
        scaling="255",
        output=0,
        channels=1,
        activation="none",
        stretch="none",
        licence="Apache-2.0",
        commercial=True,
        weights=Download(
            url="https://huggingface.co/onnx-community/modnet-webnn/resolve/main/onnx/model.onnx",
            file="modnet.onnx",
            size_bytes=25_888_640,
            checksum="sha256:07c308cf0fc7e6e8b2065a12ed7fc07e1de8febb7dc7839d7b7f15dd66584df9",
        ),
    ),
)

RECIPES = {recipe.name: recipe for recipe in (BUNDLED, *_PUBLISHED)}
_ALIASES = {"bundled": BUNDLED.name}


def find(name: str) -> ModelRecipe:
    """Return the recipe called ``name``.

    Raises:
        EngineSourceError: No such model.
    """
    recipe = RECIPES.get(_ALIASES.get(name, name))
    if recipe is None:
        raise EngineSourceError(
            f"got model {name!r}; known are {', '.join([*_ALIASES, *RECIPES])}, or the path of your own .onnx file"
        )
    return recipe


def check_licence(recipe: ModelRecipe, accepted: str | None) -> None:
    """Refuse weights that not everybody may use for everything, unless their licence is accepted by name.

    Raises:
        EngineSourceError: It is not.
    """
    if not recipe.commercial and accepted != recipe.licence:
        raise EngineSourceError(
            f"the weights of {recipe.name} are under {recipe.licence}, which does not let everybody use them for "
            f"everything; read it, and if it fits pass --accept-licence {recipe.licence}"
        )
