"""Collects Latin fonts from Debian's font packages into a folder: `train/` and `test/`, subset to ASCII.

    apt-get download <packages of FONT_PACKAGES>; for d in *.deb; do dpkg -x $d unpacked/${d%%_*}; done
    python3 collect_fonts.py unpacked fonts

Families in HELD_OUT never enter training; they are what reading is tested with. The subset files are a cache for
training and are not part of the model. Needs fonttools and Pillow.
"""

import argparse
import re
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import ImageFont

# Whole packages that are kept for the test. Carlito goes with Lato, from which it derives.
HELD_OUT = (
    "fonts-lato fonts-crosextra-carlito fonts-roboto-slab fonts-ebgaramond fonts-comic-neue fonts-cabin "
    "fonts-vollkorn fonts-play fonts-paratype fonts-firacode fonts-quicksand fonts-crosextra-caladea "
    "fonts-inconsolata fonts-clear-sans fonts-sil-andika"
).split()

TRAIN = (
    "fonts-dejavu-core fonts-dejavu-extra fonts-liberation2 fonts-freefont-ttf fonts-noto-core fonts-noto-mono "
    "fonts-roboto-unhinted fonts-open-sans fonts-cantarell fonts-comfortaa fonts-croscore fonts-linuxlibertine "
    "fonts-hack fonts-b612 fonts-courier-prime fonts-dosis fonts-fanwood fonts-go fonts-inter "
    "fonts-jetbrains-mono fonts-junicode fonts-karla fonts-manrope fonts-oldstandard fonts-opendin "
    "fonts-quattrocento fonts-sil-charis fonts-sil-gentium-basic fonts-stix fonts-texgyre fonts-tuffy "
    "fonts-urw-base35 fonts-yanone-kaffeesatz fonts-oxygen fonts-sora fonts-anonymous-pro fonts-league-spartan "
    "fonts-dustin fonts-agave fonts-national-park fonts-mplus fonts-adf-gillius fonts-adf-baskervald "
    "fonts-adf-universalis fonts-adf-libris fonts-lmodern fonts-cmu fonts-averia-sans-gwf "
    "fonts-averia-serif-gwf fonts-beteckna fonts-junction fonts-prociono fonts-opendyslexic fonts-league-mono "
    "fonts-allerta fonts-jura fonts-adf-accanthis fonts-adf-mekanus fonts-adf-romande fonts-adf-verana "
    "fonts-adf-ikarius fonts-lindenhill fonts-cardo fonts-millimetre fonts-fantasque-sans fonts-osifont "
    "fonts-lobstertwo fonts-arapey fonts-goudybookletter"
).split()

FONT_PACKAGES = TRAIN + HELD_OUT

# Faces in which a letter cannot be told from another, or that hold no plain letters.
UNFIT = re.compile(
    r"(SC\d*[-.]|SC\d\d|Caps|caps|Titling|Initials|AllSC|Math|math|Sym|Integrals|NonUni|Variants|Outline|Thin|"
    r"Hairline|ExtraLight|ExtLt|UltraLight|flatline|Penguin|Domestic|Mono-Oblique.*PS|D050000L|StandardSymbols|Dingbats|"
    r"Z003|Chancery|chorus|cmunbi|cmunvt|cmunvi|cmunfi|cmunff|cmunui|unslant|LinLibertine_I\.|LinLibertine_DR|"
    r"Beta|Stencil|stencil|progress|wood|winks|el_abogado|It_wasn|Balker|Swift|marking|holitter|Mac\.ttf|dunh|"
    r"upright|Extrablack|D\.otf$|NotoS(ans|erif)(?!-|Display-|Mono-))"
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
LIMIT_PER_PACKAGE = 10


def is_fit(path: Path) -> bool:
    if UNFIT.search(path.name):
        return False
    try:
        covered = TTFont(path, lazy=True).getBestCmap()
        if any(ord(letter) not in covered for letter in LETTERS):
            return False
        font = ImageFont.truetype(str(path), 40, layout_engine=ImageFont.Layout.BASIC)
    except Exception:
        return False
    baseline = font.getbbox("H")[3]
    # Small capitals and capitals-only faces have no descenders.
    return all(font.getbbox(letter)[3] > baseline + 3 for letter in "gpqy")


def write_subset(source: Path, target: Path) -> None:
    options = subset.Options(layout_features=["kern"], notdef_outline=True, hinting=False, name_IDs=[1, 2])
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=range(32, 127))
    cutter.subset(font)
    subset.save_font(font, str(target), options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unpacked", type=Path, help="folder with one unpacked folder per package")
    parser.add_argument("fonts", type=Path, help="folder to write")
    args = parser.parse_args()
    for split, packages in (("train", TRAIN), ("test", HELD_OUT)):
        folder = args.fonts / split
        folder.mkdir(parents=True, exist_ok=True)
        for package in packages:
            files = sorted(p for p in (args.unpacked / package).rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
            fit = [p for p in files if is_fit(p)]
            step = max(1, len(fit) / LIMIT_PER_PACKAGE)
            chosen = [fit[int(i * step)] for i in range(min(LIMIT_PER_PACKAGE, len(fit)))]
            for path in chosen:
                name = package.removeprefix("fonts-") + "__" + re.sub(r"[^A-Za-z0-9.-]", "_", path.name)
                write_subset(path, folder / name)
            print(f"{split:5} {package:28} {len(chosen)} of {len(files)}", file=sys.stderr)


if __name__ == "__main__":
    main()
