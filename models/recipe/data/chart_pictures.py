"""Bar, line and pie charts as pictures."""

from random import Random

from PIL import Image, ImageDraw

from .charts import Chart, chart_description, chart_refusal, practice_question
from .common import SIDE, Row, Turn, jitter
from .reading import Texts, font_of
from .scenes import COLORS


def fitting_font(rng: Random, texts: Texts, strings: list[str], width: float, largest: int):
    while True:
        path = rng.choice(texts.fonts)
        widest = max(font_of(path, 32).getlength(text) for text in strings) / 32
        size = min(largest, int(width / widest))
        if size >= 10:
            return font_of(path, size)
        width += 0.5


def draw_pie(rng: Random, chart: Chart, texts: Texts, paper, ink) -> Image.Image:
    """A legend with names and values beside or below the pie, in the order of the slices."""
    image = Image.new("RGB", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(image)
    beside = rng.random() < 0.6
    radius = rng.randint(30, 36) if beside else rng.randint(28, 33)
    x, y = (radius + 4, SIDE // 2 + rng.randint(-14, 14)) if beside else (SIDE // 2, radius + 6)
    angle = rng.choice([-90, -90, rng.randint(0, 359)])
    total = sum(chart.values)
    for value, color in zip(chart.values, chart.colors):
        fill = jitter(rng, COLORS[color], 8)
        draw.pieslice([x - radius, y - radius, x + radius, y + radius], angle, angle + 360 * value / total, fill=fill)
        angle += 360 * value / total
    entries = [f"{label} {value}" for label, value in zip(chart.labels, chart.values)]
    count = len(entries)
    if beside:
        font = fitting_font(rng, texts, entries, SIDE - 2 * radius - 24, 14)
        step = min(24, (SIDE - 12) / count)
        places = [(2 * radius + 11, SIDE / 2 + step * (i - (count - 1) / 2)) for i in range(count)]
    else:
        font = fitting_font(rng, texts, entries, SIDE / 2 - 18, 14)
        rows = (count + 1) // 2
        top, step = 2 * radius + 12, (SIDE - 2 * radius - 14) / rows
        places = [(5 + SIDE // 2 * (i % 2), top + step * (i // 2 + 0.5)) for i in range(count)]
    for entry, color, (left, middle) in zip(entries, chart.colors, places):
        draw.rectangle([left, middle - 4, left + 7, middle + 3], fill=jitter(rng, COLORS[color], 8))
        draw.text((left + 11, middle), entry, font=font, fill=ink, anchor="lm")
    return image


def draw_line(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], color) -> None:
    draw.line(points, fill=color, width=2)
    for x, y in points:
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=color)


def draw_chart(rng: Random, chart: Chart, texts: Texts) -> Image.Image:
    paper = jitter(rng, (28, 28, 32) if chart.dark else (250, 250, 250), 6)
    ink = jitter(rng, (225, 225, 225) if chart.dark else (30, 30, 30), 20)
    if chart.kind == "pie":
        return draw_pie(rng, chart, texts, paper, ink)
    image = Image.new("RGB", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(image)
    count = len(chart.labels)
    left = 8 if chart.printed else 22
    right = SIDE - 5
    bottom = SIDE - 20
    top = 20 if chart.printed else 10
    step = (right - left) / count

    labels = fitting_font(rng, texts, chart.labels, step - 2, rng.randint(12, 15))
    numbers = fitting_font(rng, texts, [chart.value(i) for i in range(count)] if chart.printed else ["10"], min(step - 2, 17), 14)
    if not chart.printed:
        line = tuple((p * 3 + i) // 4 for p, i in zip(paper, ink))
        every = rng.choice([2, 5, 5])
        for value in range(0, 11):
            y = bottom - (bottom - top) * value / 10
            if value % every == 0:
                draw.line([left - 3, y, right, y], fill=line)
                text = str(value)
                draw.text((left - 5, y), text, font=numbers, fill=ink, anchor="rm")
            elif every == 5:
                draw.line([left - 2, y, left, y], fill=ink)
    bar = step * rng.uniform(0.5, 0.75)
    if chart.kind == "line":
        heights = [bottom - (bottom - top) * value / chart.top for value in chart.values]
        points = [(left + step * (i + 0.5), y) for i, y in enumerate(heights)]
        draw_line(draw, points, jitter(rng, COLORS[chart.colors[0]], 12))
    for i, value in enumerate(chart.values):
        middle = left + step * (i + 0.5)
        y = bottom - (bottom - top) * value / chart.top
        fill = jitter(rng, COLORS[chart.colors[i]], 12)
        if chart.kind == "bar":
            draw.rectangle([round(middle - bar / 2), round(y), round(middle + bar / 2), bottom], fill=fill)
        if chart.printed:
            above = 2 if chart.kind == "bar" else 5
            draw.text((middle, y - above), chart.value(i), font=numbers, fill=ink, anchor="mb")
        draw.text((middle, bottom + 3), chart.labels[i], font=labels, fill=ink, anchor="ma")
    draw.line([left, bottom, right, bottom], fill=ink)
    if not chart.printed or rng.random() < 0.3:
        draw.line([left, top - 4, left, bottom], fill=ink)
    return image


def chart_row(rng: Random, texts: Texts, missing_names: bool = True) -> Row:
    """`missing_names`: with questions about names that do not occur; the early training leaves them out."""
    chart = Chart(rng, practice=True)
    row = Row([draw_chart(rng, chart, texts)])
    turns: dict[str, Turn] = {}
    for _ in range(rng.randint(3, 5)):
        refused = rng.random() < 0.1
        turn = chart_refusal(rng, chart, missing_names) if refused else practice_question(rng, chart)
        turns.setdefault(turn.question, turn)
    row.turns = list(turns.values())
    # First it gives the answers away, so that it mostly comes last, where the row has room for it.
    place = rng.random()
    if place < 0.4:
        row.turns.append(chart_description(rng, chart))
    elif place < 0.55:
        row.turns.insert(0, chart_description(rng, chart))
    row.noise = rng.choice([0, 0, 0, 4, 8])
    return row
