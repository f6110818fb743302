"""The tokenizer: byte-level BPE in tokenizer.json's format, made from the words of the questions and answers.

Its merges build whole words that follow a space, letter by letter from the left (`Ġt`, `Ġth`, `Ġthe`). Printed text
in an answer stands in quotation marks, with no space before it, so that it is spelled in single letters: a model that
reads must know the letters, and rare words are as easy as frequent ones. The price is a prefix token here and there
in the second and third word of a text.

    python3 tokenizer.py --fonts fonts --words words.txt --out tokenizer.json
"""

import argparse
import json
import re
import string
from collections import Counter
from pathlib import Path
from random import Random

from data.charts import NAMES

SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<fake_token_around_image>", "<global-img>",
    "<end_of_utterance>",
]  # fmt: skip
PAD, BOS, IM_END, IMAGE, AROUND, GLOBAL, EOS = range(len(SPECIAL))

# GPT-2's splitting for ASCII text, which is all that the recipe writes.
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")
LITERAL = re.compile("\x01[^\x02]*\x02")


def byte_symbols() -> dict[int, str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in visible}
    hidden = (byte for byte in range(256) if byte not in table)
    table.update({byte: chr(256 + i) for i, byte in enumerate(hidden)})
    return table


SYMBOLS = byte_symbols()


def to_symbols(text: str) -> str:
    return "".join(SYMBOLS[byte] for byte in text.encode("utf-8"))


class Tokenizer:
    """Encodes ASCII text as the library does; `tokenizer.json` is checked against it by check_parity.py."""

    def __init__(self, path: Path):
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        self.vocab: dict[str, int] = model["vocab"]
        merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
        self.symbols = {i: t for t, i in self.vocab.items()}
        self.cache: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in SPLIT.findall(text):
            known = self.cache.get(piece)
            if known is None:
                known = self._merge(piece)
                if len(self.cache) < 200_000:
                    self.cache[piece] = known
            ids += known
        return ids

    def decode(self, ids: list[int]) -> str:
        back = {symbol: byte for byte, symbol in SYMBOLS.items()}
        symbols = "".join(self.symbols[i] for i in ids if i >= len(SPECIAL))
        return bytes(back[s] for s in symbols).decode("utf-8", errors="replace")

    def _merge(self, piece: str) -> list[int]:
        parts = list(to_symbols(piece))
        while len(parts) > 1:
            ranked = [(self.ranks.get(pair, 1 << 30), i) for i, pair in enumerate(zip(parts, parts[1:]))]
            rank, i = min(ranked)
            if rank == 1 << 30:
                break
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return [self.vocab[part] for part in parts]


def words_of_conversations(fonts: Path, words: Path, rows: int = 12_000) -> list[str]:
    """Words with a space before them in what is said, without what is printed in pictures."""
    from data.layouts import BREVITY, LEADS, SHORT, TAILS
    from data.mixture import double_row, load_texts, single_row
    from data.smalltalk import ABILITIES, ABOUT, WELCOME

    rng = Random(1)
    texts = load_texts(fonts, words, test=False)
    counts: Counter[str] = Counter()

    def count(text: str, times: int = 1) -> None:
        # What stands in for printed text must not become a word.
        pieces = [p for p in SPLIT.findall(LITERAL.sub("\x7f", " " + text)) if p[0] == " " and len(p) > 2]
        counts.update(pieces * times)

    for i in range(rows):
        row = double_row(rng, texts) if i % 8 == 0 else single_row(rng, texts)
        for turn in row.turns:
            if turn.skill != "smalltalk":
                count(turn.question)
                count(turn.answer)
    for text in (*SHORT, *BREVITY, *LEADS, *TAILS, *ABOUT, ABILITIES, WELCOME):
        count(text, 3)
    return sorted(word for word, times in counts.items() if word[1:].isalpha() and times >= 3)


JSON_PIECES = ['":[{"', '"},{"', '"}],"', '"}]}', '},{"', '}],"', '}]}', '":"', '","', '":', '"}', ',"', '{"']
"""What stands between the words and numbers of JSON without spaces, each one token."""


def build(words: list[str], base: dict | None = None) -> dict:
    """`base`: a tokenizer whose tokens keep their ids, as weights to go on from need it."""
    vocab = dict(base["model"]["vocab"]) if base else {token: i for i, token in enumerate(SPECIAL)}
    merges: list[str] = list(base["model"]["merges"]) if base else []
    for byte in sorted(SYMBOLS):
        vocab.setdefault(SYMBOLS[byte], len(vocab))

    def chain(symbols: str) -> None:
        for i in range(1, len(symbols)):
            whole = symbols[: i + 1]
            if whole not in vocab:
                vocab[whole] = len(vocab)
                merges.append(f"{symbols[:i]} {symbols[i]}")

    for word in words:
        chain(to_symbols(word))
    # Names of bars, so that a question names a bar by one token. Spelled, they are never found in the picture.
    for name in (*NAMES, *string.ascii_uppercase):
        chain(to_symbols(f" {name}"))
    # What the chat template writes, and the end of a quoted answer.
    for word in ("User", "Assistant", '".', ' "', *JSON_PIECES):
        chain(to_symbols(word))
    added = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for i, token in enumerate(SPECIAL)
    ]  # fmt: skip
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": merges,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "tokenizer.json")
    parser.add_argument("--base", type=Path, help="a tokenizer.json whose tokens keep their ids")
    args = parser.parse_args()
    base = json.loads(args.base.read_text(encoding="utf-8")) if args.base else None
    model = build(words_of_conversations(args.fonts, args.words), base)
    args.out.write_text(json.dumps(model, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"{len(model['model']['vocab'])} tokens")


if __name__ == "__main__":
    main()
