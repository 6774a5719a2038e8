#!/usr/bin/env node
// Plays the README's story against `foyer demo`, with MCP Inspector's command line as the client, once in each protocol era.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/inspector.mjs [foyer binary]
//
// Inspector does the OAuth itself: it opens its browser once, and keeps the tokens in a folder of this run.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, folder, inspectorEnv, mailedCode, play, root, timesOpened } from './foyer.mjs'

// The commands of the README that begin with "ask", word by word: what follows is what Inspector is called with.
const commands = readFileSync(join(root, 'README.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('    ask --'))
  .map((line) => line.replace(/\s+#.*/, '').trim().split(/\s+/).slice(1))

async function story(era, url) {
  const address = `${era}@example.com`
  const opened = join(folder, `${era}-opened`)
  const storage = join(folder, `${era}-storage`)
  const inspector = (...args) => runInspector([url, '--protocol-era', era, ...args], { opened, storage })
  const call = (tool, args = {}) =>
    inspector('--stored-auth-only', '--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args))

  let came = await inspector('--callback-url', 'http://127.0.0.1:0/oauth/callback', '--method', 'tools/list')
  const names = came.result?.tools?.map((tool) => tool.name) ?? []
  for (const name of ['writing_prompt', 'list_entries']) {
    expect(`${era}: a guest is shown ${name}`, names.includes(name), came)
  }
  const token = accessToken(storage)
  expect(`${era}: Inspector holds an access token`, token, came)

  const tools = []
  for (const command of commands) {
    const code = tools.at(-1) === 'authenticate' ? await mailedCode(address) : ''
    const words = command.map((word) => word.replace('you@example.com', address).replace('123456', code))
    const tool = words[words.indexOf('--tool-name') + 1]
    came = await inspector('--stored-auth-only', '--method', 'tools/call', ...words)
    const refused = tool === 'list_entries' && !tools.includes('validate_token')
    if (refused) {
      expect(`${era}: a guest's ${tool} is refused`, came.exit === toolError && came.result?.isError, came)
      expect(`${era}: the refusal names authenticate`, /\bauthenticate\b/.test(came.text), came)
    } else {
      expect(`${era}: ${tool} works`, came.exit === 0 && came.text, came)
    }
    tools.push(tool)
  }
  const told = ['writing_prompt', 'list_entries', 'authenticate', 'validate_token', 'list_entries']
  expect(`${era}: that was the README's whole story`, tools.join() === told.join(), tools)

  const title = `The ${era} lighthouse`
  came = await call('create_entry', { title, content: 'It blinked twice, and I blinked back.' })
  expect(`${era}: create_entry writes it`, came.exit === 0, came)

  came = await call('list_entries')
  expect(`${era}: list_entries shows it`, came.exit === 0 && came.all.includes(title), came)

  came = await call('whoami')
  expect(`${era}: whoami knows a user at example.com`, came.exit === 0 && came.all.includes('@example.com'), came)

  // Inspector can only send what it stores, and --stored-auth-only forbids it a second flow.
  const after = accessToken(storage)
  expect(`${era}: one access token served throughout`, after === token, { before: token, after })

  spoil(storage, token)
  came = await call('list_entries')
  expect(`${era}: a call with an access token that has ended succeeds`, came.exit === 0 && came.all.includes(title), came)
  expect(`${era}: Inspector has refreshed`, ![token, spoilt(token)].includes(accessToken(storage)), came)

  came = await call('logout')
  expect(`${era}: logout works`, came.exit === 0, came)
  came = await call('list_entries')
  expect(`${era}: list_entries is refused again`, came.exit === toolError && /\bauthenticate\b/.test(came.text), came)
  expect(`${era}: the browser opened once`, timesOpened(opened) === 1, { times: timesOpened(opened) })
}

const toolError = 5 // Inspector's exit status for a result with isError

async function runInspector(args, { opened, storage }) {
  const child = spawn('mcp-inspector', ['--cli', ...args, '--format', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: inspectorEnv(opened, storage),
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const [stdout, stderr, exit] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise((done, failed) => child.on('error', failed).on('close', (status, signal) => done(status ?? signal))),
  ])
  clearTimeout(timer)
  const all = stdout.join('')
  const result = all.startsWith('{') ? JSON.parse(all).result : undefined
  const text = result?.content?.map((part) => part.text ?? '').join('\n') ?? ''
  return { args: args.join(' '), exit, result, text, all, stderr: stderr.join('') }
}

const secrets = (storage) => join(storage, 'secrets.json')

function accessToken(storage) {
  return /access_token\\?":\s*\\?"([^"\\]+)/.exec(readFileSync(secrets(storage), 'utf8'))?.[1]
}

// spoil makes the stored access token one that the server does not take.
function spoil(storage, token) {
  writeFileSync(secrets(storage), readFileSync(secrets(storage), 'utf8').replaceAll(token, spoilt(token)))
}

const spoilt = (token) => token.slice(0, -4) + 'gone'

await play((url) => Promise.all(['legacy', 'modern'].map((era) => story(era, url))), { seconds: 300 })
