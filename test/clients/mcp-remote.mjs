#!/usr/bin/env node
// Plays the story with mcp-remote, the proxy between a host that knows only stdio and a server of HTTP. The host is
// @modelcontextprotocol/sdk 1.x. What the host asks for passes through; with --protocol auto, the proxy speaks 2026-07-28
// to the server.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/mcp-remote.mjs [foyer binary]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { browserProgram, expect, folder, freePort, installed, play, timesOpened, within } from './foyer.mjs'
import { listening } from './sdk.mjs'
import { signIn, story } from './story.mjs'

const { Client } = installed('@modelcontextprotocol/sdk/client/index.js')
const { StdioClientTransport } = installed('@modelcontextprotocol/sdk/client/stdio.js')

// A host of version in its initialize.
class Host extends StdioClientTransport {
  constructor(version, server) {
    super(server)
    this.version = version
  }

  send(message) {
    return super.send(message.method === 'initialize' ? { ...message, params: { ...message.params, protocolVersion: this.version } } : message)
  }

  setProtocolVersion(version) {
    this.negotiated = version
  }
}

const placeOf = (name) => join(folder, name.replace(/\W+/g, '-'))

// open starts a host and its mcp-remote, which keeps what it has to in place. Without a port of its own it takes one that it
// derives from the URL, and only so can it find out that another mcp-remote signs in already.
async function open(url, name, version, mode, place = placeOf(name), port = []) {
  const opened = `${place}-opened`
  const heard = []
  const client = new Client({ name, version: '1' }, listening(heard))
  const host = new Host(version, {
    command: 'mcp-remote',
    args: [url, ...port, '--allow-http', '--protocol', mode],
    stderr: 'pipe',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      BROWSER: browserProgram(opened),
      MCP_REMOTE_CONFIG_DIR: place,
    },
  })
  let stderr = ''
  host.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  try {
    await client.connect(host)
  } catch (error) {
    throw new Error(`${error.message}\nwhat mcp-remote said:\n${stderr}`)
  }
  const modern = /Remote server speaks MCP 2026-07-28/.test(stderr)
  expect(`${name}: the proxy ${mode === 'auto' ? 'speaks 2026-07-28 to the server' : 'hands on what the host speaks'}`, modern === (mode === 'auto'), stderr)
  return {
    client,
    heard,
    version: host.negotiated,
    token: () => tokens(place).access_token,
    scope: () => tokens(place).scope,
    opened: () => timesOpened(opened),
    pages: () => [], // the program presses no buttons: a page would have ended the story
    expire: () => tokens(place, { expires_at: Date.now() }),
    close: () => client.close(),
  }
}

// tokens reads what mcp-remote keeps, and writes a change into it.
function tokens(place, change) {
  const dir = join(place, 'mcp-remote-v1')
  const file = join(
    dir,
    readdirSync(dir).find((name) => name.endsWith('_tokens.json')),
  )
  const kept = JSON.parse(readFileSync(file, 'utf8'))
  if (change) writeFileSync(file, JSON.stringify({ ...kept, ...change }))
  return kept
}

const modes = [
  ['legacy', '2025-11-25'],
  ['legacy', '2025-06-18'],
  ['legacy', '2025-03-26'],
  ['auto', '2025-11-25'],
]

// pair is two hosts of one person, who start at once and share what mcp-remote keeps, and what becomes of them.
async function pair(url) {
  const said = (what) => `mcp-remote pair: ${what}`
  const place = placeOf('pair')
  const start = (i) => open(url, `mcp-remote host ${i}`, '2025-11-25', 'legacy', place)
  const status = async (seat) => (await seat.client.callTool({ name: 'whoami', arguments: {} })).structuredContent?.status

  const seats = await Promise.all([start(1), start(2)])
  expect(said('one opening of the browser is enough for two hosts'), seats[0].opened() === 1, seats[0].opened())
  await signIn(seats[0], said, 'pair@example.com')
  expect(said('one signs in, and both are the user'), (await status(seats[1])) === 'signed_in', seats)
  await within(5, said('both hear of it'), () => seats.every((seat) => seat.heard.length === 1))
  seats[0].expire()
  const both = await Promise.all(seats.map(status))
  expect(said('both go on after the end of the token'), both.join() === 'signed_in,signed_in', both)
  await Promise.all(seats.map((seat) => seat.close()))

  let back = await start(3)
  expect(said('after a restart, the stored tokens still serve'), (await status(back)) === 'signed_in', back)
  expect(said('and no browser opens'), back.opened() === 1, back.opened())

  const bad = { access_token: 'fya_gone', refresh_token: 'fyr_gone' }
  tokens(place, bad)
  expect(said('tokens that go bad lead through the flow, to a guest'), (await status(back)) === 'guest', back)
  expect(said('the browser opens once more'), back.opened() === 2, back.opened())
  await back.close()

  tokens(place, bad)
  back = await start(4)
  expect(said('so do bad ones at the start'), (await status(back)) === 'guest', back)
  expect(said('with one more opening'), back.opened() === 3, back.opened())
  await back.close()
}

await play(
  (url) =>
    Promise.all([
      ...modes.map(([mode, version]) =>
        story(`mcp-remote ${mode} ${version}`, version, async (name) => open(url, name, version, mode, placeOf(name), [String(await freePort())])),
      ),
      pair(url),
    ]),
  { seconds: 180 },
)
