/** WhatsApp's side in a process of its own, for programs that are run as they are. Each line it reads is a QR code: scanned. */
import { createInterface } from 'node:readline'
import { baileys } from './library.mjs'
import { WhatsApp } from './whatsapp.mjs'

const lib = await baileys(7)
const whatsapp = await new WhatsApp(lib).listen()
console.log(JSON.stringify({ url: whatsapp.url, root: Buffer.from(lib.WA_CERT_DETAILS.PUBLIC_KEY).toString('hex') }))

let newest
createInterface({ input: process.stdin })
    .on('line', qr => newest.scan(qr, { jid: '5511900000001:7@s.whatsapp.net', lid: '111122223333:7@lid' }))
    .on('close', () => process.exit())
for (;;) {
    newest = await whatsapp.connection()
    newest.payload.username ? newest.welcome('111122223333:7@lid') : newest.askForQr('ref')
}
