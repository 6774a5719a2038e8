// What the scripts of this folder share: a demo, its mailbox, a person's browser, the packages from npm, and expect.
import { execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

export const root = join(import.meta.dirname, '..', '..')
export const folder = mkdtempSync(join(tmpdir(), 'foyer-clients-'))
const data = join(folder, 'data')

// installed requires a package of package.json, which lies where the PATH finds the programs of the others.
const bin = process.env.PATH.split(delimiter).find((dir) => existsSync(join(dir, 'mcp-inspector')))
if (!bin) throw new Error('mcp-inspector is not in the PATH: see the first lines of all.mjs')
export const installed = createRequire(join(bin, 'package.json'))

// play runs story(url) against a demo that has the flags, and ends the process.
export async function play(story, { seconds, flags = [] }) {
  const port = await freePort()
  const log = openSync(join(folder, 'demo.log'), 'w')
  const demo = spawn(process.argv[2] ?? built(), ['demo', '--addr', `127.0.0.1:${port}`, '--data', data, ...flags], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const stopped = new Promise((_, failed) => {
    demo.on('error', failed)
    demo.on('exit', (status, signal) => failed(new Error(`foyer demo ended by itself: ${status ?? signal}`)))
  })
  const late = sleep(seconds * 1000).then(() => Promise.reject(new Error(`the story took more than ${seconds} s`)))
  try {
    const ready = within(30, 'foyer demo is ready', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok)
    await Promise.race([ready.then(() => story(`http://127.0.0.1:${port}/mcp`)), stopped, late])
  } catch (error) {
    console.error(`${error.stack}\n\nwhat foyer demo said:\n${readFileSync(join(folder, 'demo.log'), 'utf8').slice(-8000)}`)
    process.exitCode = 1
  } finally {
    demo.removeAllListeners('exit').kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.exit()
}

export function built() {
  const binary = join(folder, 'foyer')
  execFileSync('go', ['build', '-o', binary, './cmd/foyer'], { cwd: root, stdio: 'inherit' })
  return binary
}

// freePort returns one that the system gives to nobody who does not ask for it, as it does with those above 32767.
export function freePort() {
  return new Promise((done) => {
    const port = randomInt(20_000, 32_768)
    const server = createServer()
      .on('error', () => done(freePort()))
      .listen(port, '127.0.0.1', () => server.close(() => done(port)))
  })
}

export async function mailedCode(address) {
  const inbox = join(data, 'mail', address) // url.PathEscape leaves such an address as it is
  return within(15, `a mail with six digits for ${address}`, () => {
    const newestFirst = readdirSync(inbox).filter((name) => /^\d{6}\.eml$/.test(name)).sort().reverse()
    const codes = newestFirst.map((name) => /^(\d{6})\r?$/m.exec(readFileSync(join(inbox, name), 'utf8'))?.[1])
    return codes.find((code) => code) // other mails bring none
  })
}

export async function within(seconds, what, attempt) {
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

export function expect(what, ok, came) {
  if (!ok) throw new Error(`expected: ${what}\ncame: ${inspect(came, { depth: 8, maxStringLength: 4000 })}`)
  console.log(`ok  ${what}`)
}

// compare expects that these lines are what file has after its first paragraph. With GOLDEN=write they are, from now on.
export function compare(file, lines) {
  const [head] = readFileSync(file, 'utf8').split('\n\n', 1)
  if (process.env.GOLDEN === 'write') writeFileSync(file, `${head}\n\n${lines.join('\n')}\n`)
  const want = readFileSync(file, 'utf8').slice(head.length + 2, -1).split('\n')
  const name = basename(file)
  lines.forEach((line, i) => {
    if (line || want[i]) expect(`${name}: ${line.replace(/ +/g, ' ')}`, line === want[i], { line, want: want[i] })
  })
  expect(`${name} has no more lines`, want.length === lines.length, want.slice(lines.length))
}

// A Browser is a person's: it keeps cookies, follows redirects until one leads to the client, and the person presses the
// one button that a page of Foyer's may have.
export class Browser {
  opened = 0
  pages = [] // the titles of those that came
  #cookies = new Map()

  // open returns the URL at which the client would find its answer.
  async open(url, redirectUrl) {
    this.opened++
    const came = await this.#load(url)
    const to = came.headers.get('location') ?? (await this.#press(came, url))
    if (!to.startsWith(`${redirectUrl}?`)) throw new Error(`the browser was led to ${to}`)
    return new URL(to)
  }

  async #press(page, url) {
    const html = await page.text()
    const title = /<title>([^<]*)/.exec(html)?.[1].trim()
    const request = /name="request" value="([^"]+)"/.exec(html)?.[1]
    if (!request) throw new Error(`a page without a button: ${page.status} ${title}`)
    this.pages.push(title)
    const { origin } = new URL(url)
    const came = await this.#load(new URL('/authorize', url), {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ request }),
    })
    return came.headers.get('refresh')?.replace(/^0; url=/, '') ?? `${came.status} ${await came.text()}`
  }

  async #load(url, { headers, ...init } = {}) {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ')
    const came = await fetch(url, { ...init, headers: { ...headers, cookie }, redirect: 'manual' })
    for (const line of came.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      this.#cookies.set(name, value)
    }
    return came
  }
}

// browserProgram writes a program for $BROWSER, which adds the URLs that it opens to the file opened. A guest's /authorize
// redirects at once, so that following the redirect is all of it: again, as a person reloads, while nobody listens there
// (mcp-remote opens the browser first and its port after).
export function browserProgram(opened) {
  const path = `${opened}-browser.mjs`
  const script = `#!/usr/bin/env node
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
appendFileSync(${JSON.stringify(opened)}, process.argv[2] + '\\n')
const { headers } = await fetch(process.argv[2], { redirect: 'manual' })
for (let tries = 50; tries > 0; tries--) {
  if (await fetch(headers.get('location')).then(() => true, () => sleep(100))) break
}
`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

// inspectorEnv is the environment of MCP Inspector, for which storage is the one place that it knows of.
export function inspectorEnv(opened, storage) {
  return {
    ...process.env,
    HOME: folder,
    BROWSER: browserProgram(opened),
    MCP_AUTO_OPEN_ENABLED: 'true', // there is no terminal
    MCP_STORAGE_DIR: storage,
    MCP_INSPECTOR_SECRET_STORE: 'file',
  }
}

export function timesOpened(opened) {
  return existsSync(opened) ? readFileSync(opened, 'utf8').trim().split('\n').length : 0
}
