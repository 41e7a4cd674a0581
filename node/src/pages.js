const PAGE = 1000 // what Supabase gives at most, unless configured

/**
 * The keys of a type, page by page, by id in byte order: rows with `key_id` and, where `values` says so, `value`.
 * @param {import('./state.js').Transport} transport
 * @param {string} companyId
 * @param {string} type
 * @param {() => boolean} values asked before each page
 * @param {(page: () => Promise<any[]>) => Promise<any[]>} [read] runs the call for one page
 * @returns {AsyncGenerator<any[]>}
 */
export async function* pages(transport, companyId, type, values, read = page => page()) {
    /** @type {string | null} */
    let after = null
    for (;;) {
        const wanted = values()
        const rows = await read(() => transport.rows('auth_list_keys', [
            ['p_company_id', 'text', companyId],
            ['p_key_type', 'text', type],
            ['p_after', 'text', after],
            ['p_limit', 'integer', PAGE],
            ['p_values', 'boolean', wanted]
        ], wanted ? ['key_id', 'value'] : ['key_id']))
        if (!rows.length) {
            return
        }
        yield rows
        after = rows[rows.length - 1].key_id
    }
}
