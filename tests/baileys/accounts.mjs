/**
 * The accounts that make_accounts.mjs makes. Every number is invented.
 * A contact has devices, perhaps a LID, and a history: how many messages went to and fro (`turns`),
 * who wrote `first`, whether some were `skipped` (lost on the way), whether the session was `renewed`.
 */
const SKIPPED = { turns: 2, skipped: 3 }
const RENEWED = { turns: 4, renewed: true }
const UNANSWERED = { turns: 0, first: 'us' }

const many = (count, from, contact) =>
    Array.from({ length: count }, (_, index) => ({ number: from + index, ...contact(index) }))

export const ACCOUNTS = {
    sample: {
        version: 7,
        me: 1,
        device: 23,
        name: 'Padaria Exemplo',
        preKeys: 812,
        morePreKeys: 5,
        lidPairs: 40,
        contacts: [
            { number: 2, devices: [0, 12], lid: true, turns: 3 },
            { number: 3, devices: [0], lid: true, turns: 25 },
            { number: 4, devices: [0, 7], turns: 8 },
            { number: 5, devices: [0], lid: true, ...UNANSWERED },
            { number: 6, devices: [0], lid: true, takesPreKey: false, ...SKIPPED },
            { number: 7, devices: [0], lid: true, takesPreKey: false, ...RENEWED },
            { number: 8, devices: [0, 31], lid: true, turns: 60, first: 'us' },
            { number: 9, devices: [99], hosted: true, turns: 2, takesPreKey: false },
            { number: 10, devices: [99], hosted: true, lid: true, turns: 1, takesPreKey: false },
            { number: 1, devices: [0], lid: true, turns: 5, first: 'us' }
        ],
        groups: [
            { id: '120363000000000001@g.us', members: [2, 3, 6], ours: 12, theirs: 4 },
            { id: '5511900000001-1600000001@g.us', members: [4, 7, 8], ours: 3, theirs: 2 }
        ],
        appStateKeys: ['000000001a2b', '00000000ffff', 'fbefbeffff', 'fbefbeff'],
        appStateVersions: 3,
        history: 4
    },

    // nine days of one small company: 337 files, 172 of them LID mappings
    company_962302: {
        version: 7,
        folder: 'baileys7',
        me: 101,
        device: 4,
        name: 'Oficina Exemplo',
        preKeys: 49,
        lidPairs: 86,
        contacts: [
            ...many(18, 102, index => ({ devices: [0], lid: true, turns: index % 5 })),
            ...many(6, 120, index => ({ devices: [0, 3 + index], lid: true, turns: 2 })),
            ...many(4, 126, () => ({ devices: [0], turns: 3, takesPreKey: false })),
            { number: 130, devices: [0], lid: true, turns: 40, first: 'us' },
            { number: 131, devices: [0], lid: true, takesPreKey: false, ...RENEWED },
            { number: 132, devices: [0], lid: true, takesPreKey: false, ...SKIPPED },
            { number: 133, devices: [0], lid: true, ...UNANSWERED },
            { number: 101, devices: [0], lid: true, turns: 6, first: 'us' }
        ],
        groups: [
            { id: '120363000000000101@g.us', members: [102, 103, 104, 120, 130], ours: 9, theirs: 2 },
            { id: '120363000000000102@g.us', members: [105, 106, 121], ours: 1, theirs: 1 },
            { id: '5511900000101-1600000101@g.us', members: [107, 126, 122], ours: 2, theirs: 3 }
        ],
        appStateKeys: ['00000000c1d2', '00000000ffff', '0000000100fb'],
        appStateVersions: 2,
        history: 3
    },

    // every name that is hard to reverse, and a push name that jsonb refuses
    company_962303: {
        version: 7,
        folder: 'baileys7',
        me: 201,
        device: 9,
        name: 'Caf\u00e9 \u{1f600} nul:\u0000 high:\ud83d low:\ude00',
        preKeys: 12,
        lidPairs: 6,
        contacts: [
            { number: 202, devices: [0, 12], lid: true, turns: 1 },
            { number: 203, devices: [0, 1], turns: 1 },
            { number: 204, devices: [99], hosted: true, turns: 1 },
            { number: 205, devices: [99], hosted: true, lid: true, turns: 1 }
        ],
        groups: [
            { id: '5511900000201-1600000201@g.us', members: [202, 203], ours: 1, theirs: 1 },
            { id: '120363000000000201@g.us', members: [204, 205], ours: 1, theirs: 1 },
            { id: 'status@broadcast', members: [202, 203], ours: 1, theirs: 1 }
        ],
        // base64 of these: fffA…, ////, ++++, AA==, v/8=, and one that starts with a slash
        appStateKeys: ['7df7c0', 'ffffff', 'fbefbe', '00', 'bfff', 'fc0000fffffb'],
        appStateVersions: 1,
        history: 2
    },

    company_962304: {
        version: 6,
        folder: 'baileys6',
        me: 301,
        device: 11,
        name: 'Loja Exemplo',
        preKeys: 30,
        contacts: [
            ...many(5, 302, index => ({ devices: [0], turns: index })),
            { number: 307, devices: [0, 5], turns: 2 },
            { number: 308, devices: [0], ...UNANSWERED },
            { number: 309, devices: [0], takesPreKey: false, ...SKIPPED },
            { number: 310, devices: [0, 2], lid: true, turns: 1 },
            { number: 311, devices: [99], hosted: true, turns: 1 } // version 6 adds no _128 to the name
        ],
        groups: [
            { id: '5511900000301-1600000301@g.us', members: [302, 307], ours: 4, theirs: 2 },
            { id: '120363000000000301@g.us', members: [303, 310], ours: 2, theirs: 1 }
        ],
        appStateKeys: ['000000004e5f', 'ffffff', 'fbef'],
        appStateVersions: 2,
        history: 2
    },

    // 6.17.16 keeps a sender key as a plain list, not as a Buffer of JSON text
    company_962305: {
        version: '617',
        folder: 'baileys617',
        me: 401,
        device: 2,
        name: 'Banca Exemplo',
        preKeys: 8,
        contacts: [
            { number: 402, devices: [0], turns: 2 },
            { number: 403, devices: [0, 8], turns: 1 }
        ],
        groups: [{ id: '5511900000401-1600000401@g.us', members: [402, 403], ours: 2, theirs: 2 }],
        appStateKeys: ['000000006a7b', 'ffff'],
        appStateVersions: 1,
        history: 1
    },

    // Buffers in the older forms that version 6 still reads: a list of numbers, or {buffer: true}
    company_962307: {
        version: 6,
        folder: 'baileys6',
        oldBuffers: true,
        me: 601,
        device: 3,
        name: 'Feira Antiga Exemplo',
        preKeys: 6,
        contacts: [{ number: 602, devices: [0], turns: 1 }],
        groups: [{ id: '5511900000601-1600000601@g.us', members: [602], ours: 1, theirs: 1 }],
        appStateKeys: ['00000000ae0f'],
        appStateVersions: 1,
        history: 1
    },

    // 7.0.0-rc.1 to rc.5 wrote app-state-sync-key and account with Buffers and {low, high, unsigned}
    company_962306: {
        version: '7rc4',
        folder: 'baileys7rc4',
        me: 501,
        device: 6,
        name: 'Feira Exemplo',
        preKeys: 8,
        lidPairs: 4,
        contacts: [
            { number: 502, devices: [0], lid: true, turns: 2 },
            { number: 503, devices: [0, 8], turns: 1 }
        ],
        groups: [{ id: '120363000000000501@g.us', members: [502, 503], ours: 2, theirs: 2 }],
        appStateKeys: ['000000008c9d', 'fbffff'],
        appStateVersions: 1,
        history: 1
    }
}
