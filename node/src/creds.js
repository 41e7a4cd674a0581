/** What makes creds creds: Baileys' own object always has both keys, and cannot connect without either. */
const KEYS = ['noiseKey', 'signedIdentityKey']

/** @param {any} value @returns {string} */
function kindOf(value) {
    if (typeof value === 'string') {
        return /^\s*[{["]/.test(value) ? 'JSON text inside a string: it was encoded twice' : 'a string'
    }
    if (typeof value !== 'object' || value === null) {
        return value == null ? String(value) : `a ${typeof value}`
    }
    return Array.isArray(value) ? 'a list' : 'bytes'
}

/** Where and why these are creds that no client can use; undefined if one can. Of values it says nothing. @param {any} creds as the library has them */
export function faultOf(creds) {
    if (typeof creds !== 'object' || creds === null || Array.isArray(creds) || creds instanceof Uint8Array) {
        return `creds: an object is expected, not ${kindOf(creds)}`
    }
    const missing = KEYS.find(name => (creds[name] ?? null) === null)
    return missing && `creds.${missing}: it is missing`
}
