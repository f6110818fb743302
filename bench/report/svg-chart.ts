/** Charts to SVG, through Vega-Lite, which needs no browser for that. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { BarChart, Chart, LineChart } from '../suite.ts';

const WIDTH = 620;
const HEIGHT = 260;

type Points = LineChart['lines'][number]['points'];

export async function renderSvg(chart: Chart): Promise<string> {
  const { spec } = compile(chart.kind === 'lines' ? lineSpec(chart) : barSpec(chart));
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

function lineSpec({ title, x, y, lines, joined = true }: LineChart): TopLevelSpec {
  const drawn = joined ? lines : lines.map((line) => ({ ...line, points: apart(line.points) }));
  const values = drawn.flatMap(({ name, points }) => points.map(([px, py]) => ({ x: px, y: py, name })));
  const few = lines.every(({ points }) => points.length <= 12);
  return {
    ...frame(title),
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    // No label for each of thousands of points: they would be most of the file.
    mark: joined ? { type: 'line', point: few } : { type: 'point', size: 8, aria: false },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: x },
      y: { field: 'y', type: 'quantitative', title: y, scale: { zero: true } },
      color: colours(lines.map(({ name }) => name)),
    },
  };
}

/** Of points that would lie on one another, a pixel or less apart, the first: of thousands a few hundred are seen. */
function apart(points: Points): Points {
  const [width, height] = [0, 1].map((axis) =>
    Math.max(...points.map((point) => Math.abs(point[axis] ?? 0))),
  );
  const pixel = ([x, y]: readonly [number, number]) =>
    `${Math.round((x / (width || 1)) * WIDTH)} ${Math.round((y / (height || 1)) * HEIGHT)}`;
  const seen = new Map(points.toReversed().map((point) => [pixel(point), point]));
  return [...seen.values()].toReversed();
}

function barSpec({ title, y, bars }: BarChart): TopLevelSpec {
  const groups = [...new Set(bars.map(({ group }) => group))];
  const names = [...new Set(bars.map(({ name }) => name))];
  return {
    ...frame(title),
    width: WIDTH,
    height: { step: 18 },
    data: { values: [...bars] },
    mark: 'bar',
    encoding: {
      y: { field: 'group', type: 'nominal', title: null, sort: groups, axis: { labelLimit: 420 } },
      yOffset: { field: 'name', sort: names },
      x: { field: 'value', type: 'quantitative', title: y },
      color: colours(names),
    },
  };
}

function frame(title: string) {
  return {
    title: { text: title, anchor: 'start' as const },
    background: 'white',
    config: { font: 'sans-serif' },
  };
}

function colours(names: readonly string[]) {
  return {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    sort: [...names],
    scale: { scheme: 'tableau10' as const },
    legend: names.length > 1 ? { orient: 'bottom' as const, columns: 3, labelLimit: 320 } : null,
  };
}
