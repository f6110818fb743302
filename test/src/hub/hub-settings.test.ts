import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hubSettings } from '../../../src/hub/hub-settings.ts';

const HOME = mkdtempSync(join(tmpdir(), 'troupe-settings-'));

describe('hubSettings', () => {
  it('keeps files where huggingface_hub does', async () => {
    const folderOf = async (environment: Record<string, string>) =>
      (await hubSettings(environment)).cacheFolder;
    assert.equal(await folderOf({}), join(homedir(), '.cache', 'huggingface', 'hub'));
    assert.equal(await folderOf({ XDG_CACHE_HOME: '/x' }), join('/x', 'huggingface', 'hub'));
    assert.equal(await folderOf({ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }), join('/h', 'hub'));
    assert.equal(await folderOf({ HF_HOME: '~/h' }), join(homedir(), 'h', 'hub'));
    assert.equal(await folderOf({ HUGGINGFACE_HUB_CACHE: '/o', HF_HOME: '/h' }), '/o');
    assert.equal(await folderOf({ HF_HUB_CACHE: '/c', HUGGINGFACE_HUB_CACHE: '/o' }), '/c');
  });

  it('takes the token of the environment before that of a login', async () => {
    writeFileSync(join(HOME, 'token'), 'hf_login\n');
    const tokenOf = async (more: Record<string, string>) =>
      (await hubSettings({ HF_HOME: HOME, ...more })).token;
    assert.equal(await tokenOf({}), 'hf_login');
    assert.equal(await tokenOf({ HF_TOKEN: 'hf_own' }), 'hf_own');
    assert.equal(await tokenOf({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), undefined);
    assert.equal(await tokenOf({ HF_TOKEN_PATH: join(HOME, 'none') }), undefined);
  });

  it('asks huggingface.co unless HF_ENDPOINT names another Hub', async () => {
    assert.equal((await hubSettings({})).endpoint, 'https://huggingface.co');
    assert.equal(
      (await hubSettings({ HF_ENDPOINT: 'http://mirror:8080/hf/' })).endpoint,
      'http://mirror:8080/hf',
    );
  });

  for (const endpoint of ['mirror', 'ftp://mirror', 'https://mirror?x=1']) {
    it(`refuses ${endpoint} as an endpoint`, async () => {
      await assert.rejects(hubSettings({ HF_ENDPOINT: endpoint }), {
        code: 'INVALID_OPTION',
        message: /^HF_ENDPOINT: /,
      });
    });
  }

  it('does not show a token that cannot be sent', async () => {
    await assert.rejects(
      hubSettings({ HF_TOKEN: 'hf_ secret' }),
      (error: Error) => !/hf_/.test(error.message),
    );
  });

  for (const value of ['1', 'ON', 'yes', 'True']) {
    it(`is offline with HF_HUB_OFFLINE=${value}`, async () => {
      assert.equal((await hubSettings({ HF_HUB_OFFLINE: value })).offline, true);
    });
  }

  it('is not offline with HF_HUB_OFFLINE=0', async () => {
    assert.equal((await hubSettings({ HF_HUB_OFFLINE: '0' })).offline, false);
  });
});
