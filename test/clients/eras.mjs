#!/usr/bin/env node
// Who gets what, in each version, by both SDKs of TypeScript: the table in eras.txt, row by row.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/eras.mjs [foyer binary]
//
// With GOLDEN=write it writes the table anew.
import { join } from 'node:path'
import { Browser, compare, installed, mailedCode, play } from './foyer.mjs'
import { isModern, Provider, v1 } from './sdk.mjs'

const versions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']
const widths = [13, 8, 21, 10, 9, 15, 13]
const row = (...cells) => cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join('').trimEnd()

await play(
  async (url) => {
    const callers = await people(url)
    const lines = [row('version', 'client', 'caller', 'connects', 'is shown', 'writing_prompt', 'list_entries', 'export_journal')]
    for (const version of versions) {
      lines.push('')
      for (const connect of isModern(version) ? [sdk2] : [sdk1, sdk2]) {
        for (const caller of callers) lines.push(row(version, connect === sdk1 ? 'sdk 1.x' : 'sdk 2.x', caller.name, ...(await outcomes(url, version, connect, caller))))
      }
    }
    compare(join(import.meta.dirname, 'eras.txt'), lines)
  },
  { seconds: 120 },
)

// people are one caller of each kind.
async function people(url) {
  const seat = (name) => v1(url, { provider: new Provider(name, new Browser()), version: '2025-11-25' })
  const [guest, user, other] = [await seat('guest'), await seat('user'), await seat('other')]
  const address = 'table@example.com'
  await user.client.callTool({ name: 'authenticate', arguments: { email: address } })
  await user.client.callTool({ name: 'validate_token', arguments: { code: await mailedCode(address) } })
  return [
    { name: 'no token' },
    { name: 'bad token', token: 'fya_bad' },
    { name: 'guest', token: guest.token() },
    { name: 'signed in', token: user.token() },
    { name: "in another's session", token: user.token(), session: other.sessionId() },
  ]
}

async function outcomes(url, version, connect, caller) {
  let connected = false
  const options = {
    requestInit: { headers: caller.token ? { authorization: `Bearer ${caller.token}` } : {} },
    fetch: (to, init) => {
      const headers = new Headers(init?.headers)
      if (connected && caller.session) headers.set('mcp-session-id', caller.session)
      return fetch(to, { ...init, headers })
    },
  }
  const { client, transport } = connect(url, version, options)
  const failed = await client.connect(transport).then(() => undefined, refusal)
  if (failed) return [failed, '-', '-', '-', '-']
  connected = true
  const call = (name) =>
    client.callTool({ name, arguments: {} }).then((result) => (result.isError ? 'sign in' : 'ok'), refusal)
  const shown = await client.listTools().then(({ tools }) => {
    const tool = tools.find(({ name }) => name === 'list_entries')
    return !tool ? 'absent' : tool._meta?.['foyer/access'] ? 'locked' : 'open'
  }, refusal)
  const cells = ['yes', shown, await call('writing_prompt'), await call('list_entries'), await call('export_journal')]
  await client.close()
  return cells
}

// refusal is the status in what an SDK says about it.
function refusal(error) {
  if (error.constructor.name === 'InsufficientScopeError') return '403'
  return /\b(40[134])\b/.exec(`${error.code} ${error.data?.status} ${error.message} ${error.cause?.message}`)?.[1] ?? error.constructor.name
}

function sdk1(url, version, options) {
  const { Client } = installed('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = installed('@modelcontextprotocol/sdk/client/streamableHttp.js')
  class Transport extends StreamableHTTPClientTransport {
    send(message, sending) {
      const sent = message.method === 'initialize' ? { ...message, params: { ...message.params, protocolVersion: version } } : message
      return super.send(sent, sending)
    }
  }
  return { client: new Client({ name: 'table', version: '1' }), transport: new Transport(new URL(url), options) }
}

function sdk2(url, version, options) {
  const { Client, StreamableHTTPClientTransport } = installed('@modelcontextprotocol/client')
  const versions = isModern(version) ? { versionNegotiation: { mode: { pin: version } } } : { supportedProtocolVersions: [version] }
  return { client: new Client({ name: 'table', version: '1' }, versions), transport: new StreamableHTTPClientTransport(new URL(url), options) }
}
