import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CPU_PROMPT_RUNS, gpuPromptRuns, PrefillPacer } from '../../../../actors/pd/runner/prefill-pacer.ts';

/** 50 ms a decode step, 1 ms a prompt token. */
function measured(): PrefillPacer {
  const pacer = new PrefillPacer();
  pacer.noteDecode(50);
  pacer.notePrefill(100, 100);
  return pacer;
}

describe('how many prompt tokens a step runs', () => {
  it('as many as take a little less than a decode step, for one prompt beside a batch', () => {
    assert.equal(measured().tokens({ readers: 8, waiting: 1 }), 40);
  });

  it('as much again for every prompt that waits', () => {
    assert.equal(measured().tokens({ readers: 8, waiting: 3 }), 120);
  });

  it('as many as take no noticeable time, however short a decode step is', () => {
    const pacer = new PrefillPacer();
    pacer.noteDecode(1);
    pacer.notePrefill(25, 2.5);
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 100);
  });

  it('the most when nobody has a pace to keep', () => {
    const pacer = measured();
    const most = pacer.tokens({ readers: 0, waiting: 1 });
    assert.ok(most >= pacer.tokens({ readers: 1, waiting: 100 }));
  });

  it('never fewer than keep a run worth its weights', () => {
    const pacer = measured();
    pacer.notePrefill(10, 1000);
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 16);
  });

  it('follows what prompts cost now', () => {
    const pacer = measured();
    pacer.notePrefill(100, 200);
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 20);
  });

  it('as many as it is told', () => {
    const pacer = new PrefillPacer(77);
    pacer.noteDecode(1);
    pacer.notePrefill(1, 100);
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 77);
  });
});

describe('how many prompt tokens one run takes that nobody reads beside', () => {
  it('as many as a step until it is known what they cost', () => {
    assert.equal(new PrefillPacer().offline, 128);
  });

  it('as many as take a second', () => {
    const pacer = new PrefillPacer();
    pacer.notePrefill(100, 400);
    assert.equal(pacer.offline, 250);
  });

  it('no more than gain by it, however fast', () => {
    const pacer = new PrefillPacer();
    pacer.notePrefill(100, 1);
    assert.equal(pacer.offline, 640);
  });

  it('no fewer than a step, however slow', () => {
    const pacer = new PrefillPacer();
    pacer.notePrefill(10, 1000);
    assert.equal(pacer.offline, 128);
  });

  it('as many as it is told', () => {
    const pacer = new PrefillPacer(77);
    pacer.notePrefill(100, 1);
    assert.equal(pacer.offline, 77);
  });

  it('as many as a step on a GPU', () => {
    const pacer = new PrefillPacer(undefined, gpuPromptRuns(512));
    pacer.notePrefill(100, 1);
    assert.equal(pacer.offline, 512);
  });
});

describe('how many prompt tokens a step runs on a GPU', () => {
  it('as many as the device may run at once when nobody has a pace to keep', () => {
    assert.equal(new PrefillPacer(undefined, gpuPromptRuns(512)).tokens({ readers: 0, waiting: 1 }), 512);
  });

  it('never so few that runs cost more than tokens, however slow they were', () => {
    const pacer = new PrefillPacer(undefined, gpuPromptRuns(512));
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 128);
    pacer.noteDecode(17);
    pacer.notePrefill(16, 20);
    assert.equal(pacer.tokens({ readers: 8, waiting: 1 }), 128);
  });

  it('as on a CPU where a run may have a few alone, or any number', () => {
    assert.equal(gpuPromptRuns(31), CPU_PROMPT_RUNS);
    assert.equal(gpuPromptRuns(Number.POSITIVE_INFINITY), CPU_PROMPT_RUNS);
  });
});
