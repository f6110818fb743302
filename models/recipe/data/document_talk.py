"""
Questions about documents, and documents as JSON.

A request for JSON names the keys in the order in which they are wanted: "As JSON: shop, items (name, price), total."
The answer is what `JSON.stringify` writes.
"""

import json
from random import Random

from .common import NUMBERS, REFUSAL, Row, Turn, joined, literal
from .documents import Document, as_square, make_document
from .reading import Texts
from .scenes import DESCRIBE, out_of_scope


def said(value: object, money: bool) -> str:
    return f"{value:.2f}" if money and not isinstance(value, str) else str(value)


def key_of(key: str, value: object) -> str:
    if isinstance(value, list):
        return f"{key} ({', '.join(value[0])})"
    return key


def json_turn(fields: dict[str, object], keys: list[str]) -> Turn:
    wanted = {key: fields[key] for key in keys}
    answer = json.dumps(wanted, separators=(",", ":"))
    return Turn(f"As JSON: {', '.join(key_of(k, v) for k, v in wanted.items())}.", literal(answer), "json")


def whole_json(document: Document) -> Turn:
    return json_turn(document.fields, list(document.fields))


def some_json(rng: Random, document: Document) -> Turn:
    """Some of the keys, in any order."""
    keys = list(document.fields)
    if rng.random() < 0.6 or len(keys) == 1:
        return whole_json(document)
    return json_turn(document.fields, rng.sample(keys, rng.randint(1, len(keys))))


def document_questions(document: Document) -> list[tuple[str, str, str]]:
    """Question, answer, skill."""
    fields, asked = document.fields, []
    for key, value in document.fields.items():
        if not isinstance(value, list):
            money = key in ("price", "total")
            asked.append((f"What is the {key}?", f"{literal(said(value, money))}.", f"document-{key}"))
    rows = fields.get("items", fields.get("rows"))
    if isinstance(rows, list):
        word = "items" if "items" in fields else "rows"
        asked.append((f"How many {word} are there?", f"{NUMBERS[len(rows)]}.", "document-count"))
        other = next(k for k in rows[0] if k != "name")
        for row in rows:
            money = other == "price"
            answer = f"{literal(said(row[other], money))}."
            form = f"How much is the {literal(row['name'])}?" if money else f"What is the {other} of {literal(row['name'])}?"
            asked.append((form, answer, "document-lookup"))
        listed = [literal(row["name"]) for row in rows]
        if len(listed) > 1:
            asked.append((f"Which {word} are there?", f"{joined(listed)}.", "document-list"))
        for at, row in (("first", rows[0]), ("last", rows[-1])):
            line = f"{row['name']} {said(row[other], other == 'price')}"
            asked.append((f"What is the {at} {word.removesuffix('s')}?", f"{literal(line)}.", "document-line"))
    return asked


def described(document: Document) -> str:
    fields = document.fields
    if document.kind == "receipt":
        items = [literal(f"{i['name']} {said(i['price'], True)}") for i in fields["items"]]
        listed = items[0] if len(items) == 1 else joined(items)
        return f"A receipt from {literal(str(fields['shop']))}: {listed}. The total is {literal(said(fields['total'], True))}."
    if document.kind == "table":
        rows = [literal(" ".join(said(v, k == "price") for k, v in row.items())) for row in fields["rows"]]
        return f"A table: {joined(rows)}."
    parts = [literal(said(value, key == "price")) for key, value in fields.items()]
    if document.kind == "form":
        parts = [f"{key} {part}" for key, part in zip(fields, parts)]
    return f"A {document.kind}: {', '.join(parts)}."


def missing_key(rng: Random, document: Document) -> Turn:
    keys = [k for k in ("total", "price", "role", "city", "date", "phone", "age", "shop") if k not in document.fields]
    if document.kind in ("table", "receipt"):
        keys = [k for k in keys if k not in ("price", "age", "city")]
    if rng.random() < 0.5:
        return Turn(f"What is the {rng.choice(keys)}?", REFUSAL, "refusal")
    return Turn(out_of_scope(rng, text=False, chart=True, shapes=True), REFUSAL, "refusal")


def document_row(rng: Random, texts: Texts) -> Row:
    document = make_document(rng, texts)
    row = Row([as_square(document.image)])
    asked = [Turn(*q) for q in document_questions(document)]
    total = [t for t in asked if t.skill in ("document-total", "document-price")]
    rng.shuffle(asked)
    turns = total[: rng.random() < 0.6] + asked[: rng.randint(1, 3)]
    turns = list({t.question: t for t in turns}.values())
    if rng.random() < 0.15:
        turns.append(missing_key(rng, document))
    rng.shuffle(turns)
    kind = rng.random()
    if kind < 0.25:
        turns = [some_json(rng, document)]
    elif kind < 0.62:
        turns = [*turns[: rng.randint(1, 3)], some_json(rng, document)]
    elif kind < 0.75:
        turns.append(Turn(rng.choice(DESCRIBE), described(document), "document-description"))
    elif kind < 0.82:
        turns.insert(0, Turn(rng.choice(DESCRIBE), described(document), "document-description"))
    row.turns = turns
    row.noise = rng.choice([0, 0, 0, 3, 6])
    return row
