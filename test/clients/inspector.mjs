#!/usr/bin/env node
// Plays the README's story against `foyer demo`, with MCP Inspector's command line as the client, once in each protocol era.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/inspector.mjs [foyer binary]
//
// Inspector does the OAuth itself: it opens its browser once, and keeps the tokens in a folder of this run.
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'foyer-inspector-'))
const data = join(folder, 'data')

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
  const times = readFileSync(opened, 'utf8').trim().split('\n').length
  expect(`${era}: the browser opened once`, times === 1, { times })
}

const toolError = 5 // Inspector's exit status for a result with isError

async function runInspector(args, { opened, storage }) {
  const child = spawn('mcp-inspector', ['--cli', ...args, '--format', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOME: folder,
      BROWSER: browser(opened),
      MCP_AUTO_OPEN_ENABLED: 'true', // there is no terminal
      MCP_STORAGE_DIR: storage,
      MCP_INSPECTOR_SECRET_STORE: 'file',
    },
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

// A guest's /authorize redirects at once, so that following redirects is all of the browser.
function browser(opened) {
  const path = `${opened}-browser.mjs`
  const script = `#!/usr/bin/env node
import { appendFileSync } from 'node:fs'
appendFileSync(${JSON.stringify(opened)}, process.argv[2] + '\\n')
await fetch(process.argv[2])
`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

function accessToken(storage) {
  return /access_token\\?":\s*\\?"([^"\\]+)/.exec(readFileSync(join(storage, 'secrets.json'), 'utf8'))?.[1]
}

async function mailedCode(address) {
  const inbox = join(data, 'mail', address) // url.PathEscape leaves such an address as it is
  return within(15, `a mail with six digits for ${address}`, () => {
    const newest = readdirSync(inbox).filter((name) => /^\d{6}\.eml$/.test(name)).sort().at(-1)
    return newest && /^(\d{6})\r?$/m.exec(readFileSync(join(inbox, newest), 'utf8'))?.[1]
  })
}

async function within(seconds, what, attempt) {
  let last
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
    try {
      last = await attempt()
      if (last) return last
    } catch (error) {
      last = error
    }
  }
  expect(`${what} within ${seconds} s`, false, last)
}

function expect(what, ok, came) {
  if (!ok) throw new Error(`expected: ${what}\ncame: ${inspect(came, { depth: 8, maxStringLength: 4000 })}`)
  console.log(`ok  ${what}`)
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

function built() {
  const binary = join(folder, 'foyer')
  execFileSync('go', ['build', '-o', binary, './cmd/foyer'], { cwd: root, stdio: 'inherit' })
  return binary
}

const binary = process.argv[2] ?? built()
const port = await freePort()
const log = openSync(join(folder, 'demo.log'), 'w')
const demo = spawn(binary, ['demo', '--addr', `127.0.0.1:${port}`, '--data', data], { stdio: ['ignore', log, log] })
closeSync(log)
const stopped = new Promise((_, failed) => {
  demo.on('error', failed)
  demo.on('exit', (status, signal) => failed(new Error(`foyer demo ended by itself: ${status ?? signal}`)))
})
async function play() {
  await within(30, 'foyer demo is ready', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok)
  for (const era of ['legacy', 'modern']) await story(era, `http://127.0.0.1:${port}/mcp`)
}
try {
  await Promise.race([play(), stopped])
} catch (error) {
  console.error(`${error.message}\n\nwhat foyer demo said:\n${readFileSync(join(folder, 'demo.log'), 'utf8').slice(-8000)}`)
  process.exitCode = 1
} finally {
  demo.removeAllListeners('exit').kill()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
process.exit()
