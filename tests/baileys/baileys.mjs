/**
 * One Baileys version, with the parts that lie outside its index.
 * One per process: all versions share the "default" root of protobufjs, and the second one loaded
 * would overwrite the message classes of the first.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Alias in package.json by the short name that the scripts take. */
export const VERSIONS = {
    7: 'baileys7',
    '7rc4': 'baileys7rc4',
    6: 'baileys6',
    617: 'baileys617'
}

let loaded

export async function load(version) {
    const alias = VERSIONS[version]
    if (!alias) {
        throw new Error(`no Baileys ${version}; there are ${Object.keys(VERSIONS).join(', ')}`)
    }
    if (loaded && loaded !== alias) {
        throw new Error(`${loaded} is loaded already`)
    }
    loaded = alias
    const manifest = require(`${alias}/package.json`)
    const open = async path =>
        manifest.type === 'module' ? import(`${alias}/lib/${path}`) : require(`${alias}/lib/${path}`)
    const part = path => open(path).catch(missing)
    // the index first: its modules import one another in circles that close only in this order
    const index = await open('index.js')
    const signal = await open('Signal/libsignal.js')
    const processing = await open('Utils/process-message.js')
    const tcToken = await part('Utils/tc-token-utils.js')
    return {
        ...index,
        ...tcToken,
        version: manifest.version,
        major: Number.parseInt(manifest.version, 10),
        makeLibSignalRepository: signal.makeLibSignalRepository,
        processMessage: processing.default.default ?? processing.default
    }
}

function missing(error) {
    if (!['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(error.code)) {
        throw error
    }
    return {}
}
