"""
What further training shows more often: charts that are asked about before they are shown, with questions that name two
bars or a colour. A picture that is drawn once is asked about in several rows, since only a row's first question can stand
before its picture.
"""

from random import Random
from typing import Callable, Iterator

from .chart_pictures import draw_chart
from .charts import Chart, _ask_color, _ask_higher, _asked, chart_refusal, practice_question
from .common import ASKED, PICTURE, Row, Turn
from .json_talk import asked_for_json
from .layouts import LEADS, laid_out, system_message
from .mixture import single_row
from .reading import Texts
from .wordings import with_wordings

FOCUS = 0.4
"""Share of the rows that are about such charts."""
JSON_ASKED = 0.06
"""Share of the other rows whose system message asks for JSON."""
ROWS_OF_A_CHART = 4
KINDS = {"bar": 0.5, "line": 0.2, "pie": 0.3}


def _turn(rng: Random, chart: Chart, missing_names: bool) -> Turn:
    kind = rng.random()
    if kind < 0.08:
        return chart_refusal(rng, chart, missing_names)
    if kind < 0.78:
        return _asked(rng, chart, [_ask_higher, _ask_color], [0.55, 0.45])
    return practice_question(rng, chart)


def _text_first(rng: Random, row: Row) -> Row:
    row.system = system_message(rng)
    kind = rng.random()
    if kind < 0.75:
        row.parts = [ASKED, PICTURE]
    elif kind < 0.88:
        row.parts = [ASKED + "\n", PICTURE]
    else:
        row.parts = [f"{rng.choice(LEADS)} {ASKED}", PICTURE]
    return row


def chart_rows(rng: Random, texts: Texts, missing_names: bool) -> list[Row]:
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    chart = Chart(rng, practice=rng.random() < 0.5, kind=kind)
    image = draw_chart(rng, chart, texts)
    noise = rng.choice([0, 0, 0, 4, 8])
    rows = []
    for _ in range(ROWS_OF_A_CHART):
        turns = {t.question: t for t in (_turn(rng, chart, missing_names) for _ in range(rng.randint(1, 3)))}
        row = with_wordings(rng, Row([image], list(turns.values()), noise))
        rows.append(_text_first(rng, row) if rng.random() < 0.85 else laid_out(rng, row))
    return rows


def focused_rows(rng: Random, texts: Texts, missing_names: Callable[[], bool]) -> Iterator[Row]:
    charts = FOCUS / ROWS_OF_A_CHART
    while True:
        # A chart gives several rows where anything else gives one.
        if rng.random() < charts / (charts + 1 - FOCUS):
            yield from chart_rows(rng, texts, missing_names())
            continue
        row = single_row(rng, texts, missing_names())
        yield asked_for_json(rng, row) if rng.random() < JSON_ASKED else row
