/**
 * Checks what is committed against the real library:
 *   every key of every fixture folder is read as its expected.json says, by the version that wrote it and
 *   by the newest one; the sample account is read back from a folder as it stands, and its sessions,
 *   sender keys, LID pairs and app-state keys are ones that the library can use.
 */
import './seeded.mjs'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS } from './accounts.mjs'
import { load } from './baileys.mjs'
import { Device, logger } from './people.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const SAMPLE = join(HERE, '../../examples/sample_account.json')
const FOLDERS = join(HERE, '../fixtures/folders')
const NEWEST = 7

function readFolder(version, folder, asked) {
    const script = join(HERE, 'read_folder.mjs')
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--baileys', version, folder], {
        input: JSON.stringify(asked),
        maxBuffer: 1 << 28
    })
    assert.equal(status, 0, String(stderr))
    return JSON.parse(stdout)
}

async function checkFixture(name, { version, folder, oldBuffers }) {
    const path = join(FOLDERS, folder, name)
    const expected = JSON.parse(await readFile(`${path}.expected.json`, 'utf8'))
    const files = (await readdir(path)).sort()
    assert.deepEqual(files, ['creds.json', ...expected.keys.map(({ file }) => file)].sort(), name)
    const asked = {}
    for (const { type, id } of expected.keys) {
        ;(asked[type] ??= []).push(id)
    }
    const compare = (read, pick) => {
        assert.deepEqual(read.creds, pick({ value: expected.creds, current: expected.creds_current }))
        for (const key of expected.keys) {
            assert.deepEqual(read.keys[key.type][key.id], pick(key), `${name} ${key.file} by ${read.version}`)
        }
    }
    const current = ({ value, current }) => current ?? value
    if (oldBuffers) {
        compare(readFolder(String(version), path, asked), current)
    } else {
        compare(readFolder(String(version), path, asked), ({ value }) => value)
        compare(readFolder(String(NEWEST), path, asked), current)
    }
    for (const { file, value } of expected.keys) {
        assert.deepEqual(JSON.parse(await readFile(join(path, file), 'utf8')), value, file)
    }
    return expected.keys.length
}

async function checkSample() {
    const lib = await load(NEWEST)
    const { format, creds, keys, times } = JSON.parse(await readFile(SAMPLE, 'utf8'))
    assert.equal(format, 1)
    const revive = value => JSON.parse(JSON.stringify(value), lib.BufferJSON.reviver)
    const plain = value => JSON.parse(JSON.stringify(value, lib.BufferJSON.replacer))
    const folder = await mkdtemp(join(tmpdir(), 'sample-'))
    const written = await lib.useMultiFileAuthState(folder)
    Object.assign(written.state.creds, revive(creds))
    await written.saveCreds()
    await written.state.keys.set(revive(keys))
    const { state } = await lib.useMultiFileAuthState(folder)
    assert.deepEqual(plain(state.creds), creds)
    for (const type in keys) {
        assert.deepEqual(plain(await state.keys.get(type, Object.keys(keys[type]))), keys[type])
        assert.deepEqual(Object.keys(times[type]), Object.keys(keys[type]))
    }

    const us = new Device(lib, creds.me.id, { creds: state.creds, store: state.keys })
    const { repository } = us
    for (const id in keys.session) {
        const [, user, domain, device] = /^(\d+)(?:_(\d+))?\.(\d+)$/.exec(id)
        const server = { 1: 'lid', 128: 'hosted', 129: 'hosted.lid' }[domain] ?? 's.whatsapp.net'
        const jid = `${user}${device === '0' ? '' : `:${device}`}@${server}`
        assert.deepEqual(await repository.validateSession(jid), { exists: true }, id)
        await repository.encryptMessage({ jid, data: Buffer.from('still works') })
    }
    for (const group in keys['sender-key-memory']) {
        await repository.encryptGroupMessage({ group, meId: creds.me.lid, data: Buffer.from('still works') })
    }
    for (const [id, other] of Object.entries(keys['lid-mapping'])) {
        const reverse = id.endsWith('_reverse') ? other : `${other}_reverse`
        assert.equal(keys['lid-mapping'][reverse], id.replace('_reverse', ''), id)
        if (!id.endsWith('_reverse')) {
            assert.equal(await repository.lidMapping.getLIDForPN(`${id}@s.whatsapp.net`), `${other}@lid`)
        }
    }
    const { [creds.myAppStateKeyId]: appStateKey } = await us.keys.get('app-state-sync-key', [creds.myAppStateKeyId])
    assert.equal(appStateKey.keyData.length, 32)
    const indexed = await lib.readTcTokenIndex(us.keys)
    assert.deepEqual(indexed.sort(), Object.keys(keys.tctoken).filter(id => id !== '__index').sort())
    repository.close()
    await rm(folder, { recursive: true })
    return Object.values(keys).flatMap(Object.keys).length
}

const say = console.log
console.log = console.info = console.warn = console.error = () => {} // libsignal prints whole sessions
logger.error = ({ error }, text) => process.stderr.write(`${text} ${error?.stack ?? ''}\n`)
try {
    say('sample', await checkSample(), 'keys')
    for (const [name, account] of Object.entries(ACCOUNTS)) {
        if (account.folder) {
            say(name, await checkFixture(name, account), 'keys')
        }
    }
} catch (error) {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
}
process.exit() // the library's caches hold timers of three days
