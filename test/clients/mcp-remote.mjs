#!/usr/bin/env node
// Plays the story with mcp-remote, the proxy between a host that knows only stdio and a server of HTTP. The host is
// @modelcontextprotocol/sdk 1.x. What the host asks for passes through; with --protocol auto, the proxy speaks 2026-07-28
// to the server.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/mcp-remote.mjs [foyer binary]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { browserProgram, expect, folder, freePort, installed, play, timesOpened } from './foyer.mjs'
import { listening } from './sdk.mjs'
import { story } from './story.mjs'

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

async function open(url, name, version, mode) {
  const place = join(folder, name.replace(/\W+/g, '-'))
  const opened = `${place}-opened`
  const heard = []
  const client = new Client({ name, version: '1' }, listening(heard))
  const host = new Host(version, {
    command: 'mcp-remote',
    args: [url, String(await freePort()), '--allow-http', '--protocol', mode],
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

await play(
  (url) =>
    Promise.all(
      modes.map(([mode, version]) => story(`mcp-remote ${mode} ${version}`, version, (name) => open(url, name, version, mode))),
    ),
  { seconds: 180 },
)
