/** Copies folders of useMultiFileAuthState into a store, the naive way: node import_folders.js STORE FOLDER PREFIX */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { useMultiFileAuthState } from 'baileys'
import { openStores, report, servers } from './stores.js'

// The longest name first: sender-key-memory-… is no sender-key.
const TYPES = [
    'app-state-sync-version', 'app-state-sync-key', 'sender-key-memory', 'lid-mapping', 'device-list', 'identity-key',
    'sender-key', 'session', 'pre-key', 'tctoken'
]

const [, , name, parent, prefix] = process.argv

/** The type and id that a file's name stands for. */
function keyOf(file) {
    const type = TYPES.find(type => file.startsWith(`${type}-`))
    const id = file.slice(type.length + 1, -'.json'.length)
    return [type, type === 'sender-key' ? id.replaceAll('--', '::') : type === 'app-state-sync-key' ? id.replaceAll('__', '/') : id]
}

async function copy(folder, target) {
    const from = await useMultiFileAuthState(folder)
    const ids = {}
    for (const file of await readdir(folder)) {
        if (file !== 'creds.json') {
            const [type, id] = keyOf(file)
            ;(ids[type] ??= []).push(id)
        }
    }
    const data = {}
    for (const type in ids) {
        data[type] = await from.state.keys.get(type, ids[type])
    }
    Object.assign(target.state.creds, from.state.creds)
    await target.saveCreds()
    await target.state.keys.set(data)
}

const [store] = await openStores(servers, [name])
const started = performance.now()
for (const folder of await readdir(parent)) {
    await copy(join(parent, folder), await store.open(`${prefix}${folder}`))
}
report('import', store, [performance.now() - started])
process.exit()
