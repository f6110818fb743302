/** The Python exporter as a program: where it can run, and what it says. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../models/export', import.meta.url));
/** The second is where a distribution's packages are importable, whatever comes first on PATH. */
const CANDIDATES = process.env.PYTHON === undefined ? ['python3', '/usr/bin/python3'] : [process.env.PYTHON];
const PYTHON = CANDIDATES.find((one) => spawnSync(one, ['-c', 'import numpy, onnx']).status === 0);

export interface Exported {
  readonly code: number | null;
  readonly stderr: string;
}

/** Why tests of the exporter are skipped; false where they run. */
export function whyNoExporter(): string | false {
  return (
    PYTHON === undefined && `${CANDIDATES.join(' or ')} with numpy and onnx is needed (PYTHON names another)`
  );
}

/** Runs `models/export/export.py`. */
export function runExporter(...args: string[]): Exported {
  return runPython(`${FOLDER}/export.py`, ...args);
}

/** Runs a program text with the exporter's modules at hand. */
export function runSnippet(program: string, ...args: string[]): Exported {
  return runPython('-c', program, ...args);
}

/** Runs a program of this folder with the exporter's modules at hand. */
export function runBeside(name: string, ...args: string[]): Exported {
  return runPython(fileURLToPath(new URL(name, import.meta.url)), ...args);
}

function runPython(...args: string[]): Exported {
  if (PYTHON === undefined) throw new Error('tests of the exporter are skipped where it cannot run');
  const environment = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: FOLDER };
  const { status, stderr, error } = spawnSync(PYTHON, args, { encoding: 'utf8', env: environment });
  if (error !== undefined) throw error;
  return { code: status, stderr };
}
