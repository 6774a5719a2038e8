#!/usr/bin/env node
// Runs the official MCP conformance suite against `foyer demo --app conformance`: as a client without a token, as one with
// a guest's token, and against the authorization server. Fails unless every count is the one in the tables below.
//
//   npm ci --prefix test/conformance --ignore-scripts
//   PATH="$PWD/test/conformance/node_modules/.bin:$PATH" node test/conformance/run.mjs [foyer binary]
//
//   --url http://127.0.0.1:8080/mcp   a server that runs already
//   --only plain                      one part of it: plain, authorization or token; may be repeated
//
// The suite needs Node.js 22, which the lock file brings. Two minutes are enough on a slow machine.
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createProxy, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

// What the server must score. Warnings are checks of what a server should do, and does not: it keeps no events to play
// again. A server whose plain answers are streams has one check more, about those streams; ours are JSON.
const serverRuns = [
  { suite: '0.1.16, everything', package: 'conformance-0.1', args: ['--suite', 'all'], scenarios: 32, checks: 43, warnings: 2 },
  { suite: '0.2, 2025-11-25', package: 'conformance-0.2', args: ['--requirements', '2025-11-25'], scenarios: 33, checks: 81, warnings: 1 },
  { suite: '0.2, 2026-07-28', package: 'conformance-0.2', args: ['--requirements', '2026-07-28'], scenarios: 40, checks: 152, warnings: 0, without: 'tasks' },
]
const authorizationRuns = ['2025-11-25', '2026-07-28'].map((version) => ({
  suite: `authorization, ${version}`, package: 'conformance-0.2', args: ['--spec-version', version], scenarios: 2, checks: 3,
  warnings: 0,
}))

// Extensions that the server does not have. The suite runs their scenarios without scoring them; they must run, and fail.
const extensions = {
  tasks: [
    'tasks-capability-negotiation',
    'tasks-dispatch-and-envelope',
    'tasks-lifecycle',
    'tasks-mrtr-composition',
    'tasks-mrtr-input',
    'tasks-request-headers',
    'tasks-request-state-removal',
    'tasks-required-task-error',
    'tasks-status-notifications',
    'tasks-wire-fields',
  ],
}

const root = join(import.meta.dirname, '..', '..')
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { url: { type: 'string' }, only: { type: 'string', multiple: true, default: ['plain', 'authorization', 'token'] } },
})
const unknown = options.only.filter((part) => !['plain', 'authorization', 'token'].includes(part))
if (unknown.length > 0 || positionals.length > 1 || (options.url && positionals.length > 0)) {
  console.error('usage: run.mjs [foyer binary | --url URL] [--only plain|authorization|token]...')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'foyer-conformance-'))
const running = new Set() // children, to be ended whatever happens
const rows = []
let wrong = 0

async function runAll(url) {
  const { origin } = new URL(url)
  if (options.only.includes('plain')) {
    for (const run of serverRuns) await server(run, url, 'no token')
  }
  if (options.only.includes('authorization')) {
    for (const run of authorizationRuns) await authorization(run, origin, url)
  }
  if (options.only.includes('token')) {
    const proxy = await withToken(origin, await guestToken(origin, url))
    for (const run of serverRuns) await server(run, proxy.url + new URL(url).pathname, "a guest's token")
    proxy.close()
    const forged = await withToken(origin, 'forged') // else the runs above would say nothing about tokens
    const { status } = await fetch(forged.url + new URL(url).pathname, { method: 'POST', body: '{}' })
    forged.close()
    row('a call', 'a forged token', status === 401, `status ${status}`)
  }
}

// server runs the suite against the server at url, and compares.
async function server(run, url, as) {
  const out = outFolder()
  const ended = await suite(run, ['server', '--url', url, ...run.args, '-o', out])
  compare(run, as, ended, results(out, 'server-'))
}

// authorization runs the suite against the authorization server, and visits the address that it prints, as a browser would.
async function authorization(run, issuer, resource) {
  const port = await freePort()
  const client = await register(issuer, `http://127.0.0.1:${port}/callback`)
  const out = outFolder()
  let said = ''
  let visited
  const ended = await suite(run, ['authorization', '--url', issuer, '--client-id', client, '--resource', resource, '--port', `${port}`, ...run.args, '-o', out], (text) => {
    said += text
    const address = /^http\S+[?&]code_challenge=\S+/m.exec(said)?.[0]
    if (address && said.includes('Callback server started')) visited ??= fetch(address).catch((error) => console.error(error))
  })
  await visited
  compare(run, '-', ended, results(out, 'authorization-server-'))
}

// compare adds a row for a run, and prints every check that failed.
function compare(run, as, ended, scenarios) {
  const aside = extensions[run.without] ?? []
  const counted = scenarios.filter((scenario) => !aside.includes(scenario.name))
  const passed = counted.filter((scenario) => scenario.failures.length === 0)
  const came = {
    scenarios: passed.length,
    failed: counted.length - passed.length,
    checks: sum(counted, (scenario) => scenario.successes),
    warnings: sum(counted, (scenario) => scenario.warnings.length),
    aside: scenarios.length - counted.length,
    exit: ended.exit,
  }
  const want = { scenarios: run.scenarios, failed: 0, checks: run.checks, warnings: run.warnings, aside: aside.length, exit: 0 }
  const differences = Object.keys(want).filter((key) => came[key] !== want[key]).map((key) => `${key} ${came[key]}, want ${want[key]}`)
  const without = run.without ? `, ${came.aside} of ${run.without} set aside` : ''
  const counts = `${came.scenarios} scenarios, ${came.checks} checks, ${came.warnings} warnings${without}`
  row(run.suite, as, differences.length === 0, counts)
  for (const difference of differences) console.log(`    ${difference}`)
  for (const scenario of counted) {
    for (const check of scenario.failures) console.log(`    ${scenario.name}: ${told(check)}`)
    if (differences.length > 0) {
      for (const check of scenario.warnings) console.log(`    ${scenario.name}: warning: ${told(check)}`)
    }
  }
  if (differences.length > 0 && counted.length === 0) console.log(ended.said.slice(-4000))
  for (const scenario of scenarios) {
    if (aside.includes(scenario.name) && scenario.successes > 0 && scenario.failures.length === 0) {
      row(run.suite, as, false, `${scenario.name} passes: take it off the list`)
    }
  }
}

function told(check) {
  return `${check.id}: ${(check.errorMessage ?? check.description).replace(/\s+/g, ' ').slice(0, 400)}`
}

function row(suite, as, ok, counts) {
  if (!ok) wrong++
  rows.push(`${(ok ? 'ok' : 'FAIL').padEnd(5)} ${suite.padEnd(26)} ${as.padEnd(16)} ${counts}`)
  console.log(rows.at(-1))
}

// results reads what the suite wrote for each scenario. A folder is named after the scenario and the instant.
function results(out, prefix) {
  return readdirSync(out).map((name) => {
    const file = join(out, name, 'checks.json')
    const checks = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [{ id: 'the scenario broke off', status: 'FAILURE', description: 'it wrote no checks' }]
    const having = (status) => checks.filter((check) => check.status === status)
    return {
      name: name.slice(prefix.length).replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, ''),
      successes: having('SUCCESS').length,
      failures: having('FAILURE'),
      warnings: having('WARNING'),
    }
  })
}

// suite runs the suite for five minutes at most.
async function suite(run, args, hear = () => {}) {
  const child = start(process.execPath, [installed(run.package), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
  const timer = setTimeout(() => child.kill('SIGKILL'), 300_000)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
      hear(text)
    })
  }
  const exit = await new Promise((done, failed) => child.on('error', failed).on('close', (status, signal) => done(status ?? signal)))
  clearTimeout(timer)
  return { exit, said }
}

function installed(name) {
  const bins = process.env.PATH.split(delimiter).filter((bin) => bin.endsWith(join('node_modules', '.bin')))
  const places = [...bins.map(dirname), join(import.meta.dirname, 'node_modules')].map((modules) => join(modules, name, 'dist', 'index.js'))
  const found = places.find((place) => existsSync(place))
  if (!found) throw new Error(`${name} is not installed; run: npm ci --prefix test/conformance --ignore-scripts`)
  return found
}

// guestToken gets a token for the resource as any client does. A guest's /authorize redirects at once, without a page.
async function guestToken(issuer, resource) {
  const callback = 'http://127.0.0.1:9/callback' // nobody follows the redirect
  const client = await register(issuer, callback)
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    response_type: 'code', client_id: client, redirect_uri: callback, resource, state: 'runner',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  })
  const sent = await fetch(`${issuer}/authorize?${query}`, { redirect: 'manual' })
  const code = new URL(sent.headers.get('location') ?? 'about:blank').searchParams.get('code')
  if (!code) throw new Error(`/authorize gave no code: ${sent.status} ${await sent.text()}`)
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: callback, client_id: client, code_verifier: verifier, resource })
  const { access_token: token } = await answer(await fetch(`${issuer}/token`, { method: 'POST', body }))
  if (!token) throw new Error('/token gave no access token')
  return token
}

async function register(issuer, callback) {
  const { client_id: client } = await answer(await fetch(`${issuer}/register`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Conformance', redirect_uris: [callback], token_endpoint_auth_method: 'none' }),
  }))
  return client
}

async function answer(res) {
  if (!res.ok) throw new Error(`${res.url} answered ${res.status}: ${await res.text()}`)
  return res.json()
}

// withToken starts a proxy that puts token into each request and changes nothing else: Host and Origin stay as they came.
async function withToken(origin, token) {
  const { hostname, port } = new URL(origin)
  const proxy = createProxy((req, res) => {
    const up = request({ hostname, port, method: req.method, path: req.url, headers: { ...req.headers, authorization: `Bearer ${token}` } }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers)
      res.flushHeaders() // a stream may say nothing for long
      answer.on('error', () => res.destroy()).pipe(res)
    })
    up.on('error', () => res.destroy())
    res.on('close', () => up.destroy())
    req.pipe(up)
  })
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
  const close = () => {
    proxy.close()
    proxy.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${proxy.address().port}`, close }
}

// demo starts foyer demo, and returns its URL when it is ready.
async function demo(binary) {
  const port = await freePort()
  const log = openSync(join(folder, 'demo.log'), 'w')
  const args = ['demo', '--app', 'conformance', '--addr', `127.0.0.1:${port}`, '--data', join(folder, 'data')]
  const child = start(binary, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  const ended = new Promise((_, failed) => {
    child.on('error', failed)
    child.on('exit', (status, signal) => failed(new Error(`foyer demo ended by itself: ${status ?? signal}`)))
  })
  ended.catch(() => {}) // heard by Promise.race, or of no interest any more
  const ready = async () => {
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
      if (await fetch(`http://127.0.0.1:${port}/healthz`).then((res) => res.ok, () => false)) return
    }
    throw new Error('foyer demo was not ready within 30 s')
  }
  await Promise.race([ready(), ended])
  return { url: `http://127.0.0.1:${port}/mcp`, ended }
}

function start(command, args, options) {
  const child = spawn(command, args, options)
  running.add(child)
  return child.on('close', () => running.delete(child))
}

function built() {
  const binary = join(folder, 'foyer')
  execFileSync('go', ['build', '-o', binary, './cmd/foyer'], { cwd: root, stdio: 'inherit' })
  return binary
}

function outFolder() {
  return mkdtempSync(join(folder, 'checks-'))
}

function sum(list, count) {
  return list.reduce((total, item) => total + count(item), 0)
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

async function end() {
  const children = [...running]
  const ends = children.map((child) => new Promise((done) => child.on('close', done)))
  for (const child of children) child.removeAllListeners('exit').kill()
  const late = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), 10_000)
  await Promise.all(ends)
  clearTimeout(late)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => end().finally(() => process.exit(1)))
}

try {
  const { url, ended } = options.url ? { url: options.url } : await demo(positionals[0] ?? built())
  await Promise.race([runAll(url), ...(ended ? [ended] : [])])
  console.log(`\n${rows.join('\n')}`)
} catch (error) {
  wrong++
  const log = join(folder, 'demo.log')
  console.error(`${error.message}${existsSync(log) ? `\n\nwhat foyer demo said:\n${readFileSync(log, 'utf8').slice(-8000)}` : ''}`)
}
await end()
process.exit(wrong > 0 ? 1 : 0)
