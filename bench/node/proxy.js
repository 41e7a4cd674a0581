/** A network in between: what arrives leaves, in order, half the delay of a round trip later. */
import net from 'node:net'

const [, , port, delayMs] = process.argv.map(Number)

/** @param {net.Socket} from @param {net.Socket} to */
function carry(from, to) {
    from.setNoDelay(true)
    from.on('data', chunk => setTimeout(() => to.write(chunk), delayMs / 2))
    from.on('close', () => setTimeout(() => to.destroy(), delayMs / 2))
    from.on('error', () => {})
}

const server = net.createServer(client => {
    const upstream = net.connect(port, '127.0.0.1')
    carry(client, upstream)
    carry(upstream, client)
})
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.on('disconnect', () => process.exit())
