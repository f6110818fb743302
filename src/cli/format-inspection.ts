/** An inspection as a person reads it. */

import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { TensorSignature } from '../../actors/model/onnx/graph-signature.ts';
import { MODES } from '../chat-types.ts';
import { plural } from '../config/thread-plan.ts';
import type { ActivationScales, InspectedMode, InspectReport } from '../inspect/inspect-model.ts';

export function formatInspection(report: InspectReport): string {
  const { geometry } = report;
  const facts: [string, string][] = [
    ['type', `${report.modelType}, ${report.encoding} image encoding`],
    [
      'decoder',
      `${geometry.layers} layers, hidden ${geometry.hiddenSize}, ${geometry.kvHeads} KV heads of ${geometry.headDim}`,
    ],
    ['context', `${geometry.contextLength} tokens, vocabulary ${geometry.vocabSize}`],
    ...(geometry.contextReason === undefined
      ? []
      : [['', `no longer: ${geometry.contextReason}`] as [string, string]]),
    ['machine', plural(report.cores, 'core')],
    ['images', report.images],
  ];
  return [
    styleText('bold', report.path) +
      (report.fetched ? '' : ' (on the Hub: only the heads of its files were read)'),
    ...facts.map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    '',
    graphTable(report),
    '',
    formatDecoder(report),
    ...formatQuantization(report),
    formatKvCache(report),
    '',
    ...formatDevices(report),
    '',
    ...MODES.map((mode) => formatMode(mode, report.modes[mode])),
    '',
  ].join('\n');
}

function graphTable({ graphs }: InspectReport): string {
  const table = new Table({
    head: ['graph', 'file', 'dtype', 'size', 'inputs', 'outputs'],
    colAligns: ['left', 'left', 'left', 'right', 'left', 'left'],
    style: { head: [], border: [] },
  });
  for (const { role, path, dtype, bytes, external, inputs, outputs } of graphs) {
    const file = [path, ...external.map((name) => `+ ${name}`)].join('\n');
    table.push([role, file, dtype, formatBytes(bytes), formatTensors(inputs), formatTensors(outputs)]);
  }
  return table.toString();
}

/** A cache has two tensors a layer: those that differ in numbers only are shown once. Shapes are in the JSON. */
function formatTensors(tensors: readonly TensorSignature[]): string {
  const groups = Map.groupBy(tensors, ({ name }) => name.replace(/\d+/g, 'N'));
  const lines = [...groups].map(([pattern, group]) =>
    group.length === 1 ? group.map(({ name }) => name) : `${pattern} ×${group.length}`,
  );
  return lines.join('\n');
}

function formatDecoder({ decoder: { rewritten, attention, path, reason } }: InspectReport): string {
  if (!rewritten) {
    return `decoder runs as it came, so long contexts decode slower: ${reason ?? 'it was not rewritten'}`;
  }
  const how = attention === 'split' ? 'reads the KV cache in place' : 'joins the KV cache inside the graph';
  return `decoder rewritten: hands over new keys and values only, ${how}\n  ${path ?? ''}`;
}

const SCALES: Readonly<Record<ActivationScales, string>> = {
  'per row': 'each token has a scale of its own, whatever else is in its run',
  mixed: 'some have one scale for all of a run, so that an answer may depend on its batch',
  'per run': 'one scale for all of a run, so that an answer may depend on its batch',
};

function formatQuantization({ graphs }: InspectReport): string[] {
  return graphs.flatMap(({ role, quantization }) =>
    quantization === undefined ? [] : [`${role} computes in 8 bits: ${SCALES[quantization]}`],
  );
}

function formatKvCache({ kvCache }: InspectReport): string {
  const { kvCacheBytes, kvCacheTokens, prefixCacheBytes, why } = kvCache;
  const tokens = `${kvCacheTokens} tokens`;
  return `KV cache ${formatBytes(kvCacheBytes)} an actor (${tokens}), prefix cache ${formatBytes(prefixCacheBytes)}\n  ${why}`;
}

function formatDevices({ devices }: InspectReport): string[] {
  const lines = devices.providers.map(({ provider, works, problem, remedy }) =>
    works ? `device ${provider}: starts` : `device ${provider}: does not start: ${problem}. ${remedy}`,
  );
  const why = devices.autoReason === undefined ? '' : `: ${devices.autoReason}`;
  return [...lines, `device auto is ${devices.auto}${why}`];
}

function formatMode(name: string, { ok, reason, code, actors, weights, notes }: InspectedMode): string {
  if (!ok)
    return `${styleText('red', 'no ')} ${styleText('bold', name)}: ${reason ?? 'cannot run this model'}${code === undefined ? '' : ` [${code}]`}`;
  const lines = [
    ...actors.map(
      ({ pool, count, threads, why }) => `${count} × ${pool}, ${formatThreads(threads)} (${why})`,
    ),
    ...weights.filter(({ share }) => share).map(({ graph, why }) => `weights of ${graph} shared (${why})`),
    ...notes,
  ];
  return [
    `${styleText('green', 'yes')} ${styleText('bold', name)}:`,
    ...lines.map((line) => `      ${line}`),
  ].join('\n');
}

function formatThreads(threads: number): string {
  return threads === 0 ? 'no inference' : plural(threads, 'inference thread');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'];

function formatBytes(bytes: number): string {
  const power = bytes === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
