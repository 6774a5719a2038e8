#!/usr/bin/env node
// Every item of the journal, as MCP Inspector's command line lists and calls it: the table in items.txt, row by row.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/items.mjs [foyer binary]
//
// With GOLDEN=write it writes the table anew.
import { fork } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compare, expect, folder, inspectorEnv, installed, mailedCode, play, timesOpened } from './foyer.mjs'

const title = 'The lighthouse blinked'
const tag = 'by the sea'

// How each item is called, in this order, and what an answer has to show. The arguments may need the ids of the entry and
// the tag that the user has made; a guest has none, and is refused before anybody looks for them.
const calls = [
  ['tool', 'writing_prompt', () => ({}), /\w/],
  ['tool', 'whoami', () => ({}), /this is a guest|Signed in as/],
  ['tool', 'switch_account', ({ address }) => ({ email: address }), /Already signed in/],
  ['tool', 'save_draft', () => ({ text: 'The light went round.' }), /Kept as draft/],
  ['tool', 'list_drafts', () => ({}), /The light went round/],
  ['tool', 'delete_draft', ({ draft }) => ({ id: draft }), /gone/],
  ['tool', 'merge_guest_data', () => ({}), /Moved/],
  ['tool', 'create_entry', () => ({ title, content: 'Twice, and I blinked back.' }), /Saved "The lighthouse/],
  ['tool', 'create_tag', () => ({ name: tag }), /by the sea/],
  ['tool', 'add_tag_to_entry', ({ entry, tag }) => ({ entryId: entry, tagId: tag }), /by the sea/],
  ['tool', 'update_entry', ({ entry }) => ({ id: entry, mood: 'calm' }), /calm/],
  ['tool', 'update_tag', ({ tag }) => ({ id: tag, description: 'where it is windy' }), /windy/],
  ['tool', 'delete_entry', ({ entry }) => ({ id: entry }), /The lighthouse/],
  ['tool', 'delete_tag', ({ tag }) => ({ id: tag }), /by the sea/],
  ['tool', 'get_entry', ({ entry }) => ({ id: entry }), /blinked back[^]*calm|calm[^]*blinked back/],
  ['tool', 'get_tag', ({ tag }) => ({ id: tag }), /by the sea[^]*windy/],
  ['tool', 'list_entries', () => ({}), /The lighthouse/],
  ['tool', 'list_tags', () => ({}), /by the sea/],
  ['tool', 'view_entry', ({ entry }) => ({ id: entry }), /The lighthouse/],
  ['tool', 'view_journal', () => ({}), /The lighthouse/],
  ['tool', 'get_tag_suggestions_instructions', ({ entry }) => ({ entryId: entry }), /The lighthouse/],
  ['tool', 'get_journal_insights_instructions', () => ({}), /The lighthouse/],
  ['tool', 'export_journal', () => ({}), /The lighthouse/],
  ['resource', 'journal://credits', () => 'journal://credits', /Epic Me/],
  ['resource', 'journal://user', () => 'journal://user', /@example\.com/],
  ['resource', 'journal://entries', () => 'journal://entries', /The lighthouse/],
  ['resource', 'journal://tags', () => 'journal://tags', /by the sea/],
  ['resource', 'ui://foyer/one-time-code', () => 'ui://foyer/one-time-code', /<!doctype html>/i],
  ['resource', 'ui://journal/view', () => 'ui://journal/view', /<!doctype html>/i],
  ['template', 'journal://entries/{id}', ({ entry }) => `journal://entries/${entry}`, /blinked back/],
  ['template', 'journal://tags/{id}', ({ tag }) => `journal://tags/${tag}`, /by the sea/],
  ['prompt', 'first_entry', () => [], /create_entry/],
  ['prompt', 'reflect', () => ['period=week'], /The lighthouse/],
  ['prompt', 'suggest_tags', ({ entry }) => [`entryId=${entry}`], /The lighthouse/],
  ['prompt', 'summarize_journal_entries', ({ tag }) => [`tagIds=${tag}`], /The lighthouse/],
  ['tool', 'authenticate', ({ address }) => ({ email: address }), /A mail is on its way|Already signed in/],
  ['tool', 'validate_token', ({ code }) => ({ code }), /[Ss]igned in as/],
  ['tool', 'logout', () => ({}), /Signed out|Nobody is signed in/],
]

const lists = {
  tool: ['tools/list', ({ tools }) => tools, 'name'],
  resource: ['resources/list', ({ resources }) => resources, 'uri'],
  template: ['resources/templates/list', ({ resourceTemplates }) => resourceTemplates, 'uriTemplate'],
  prompt: ['prompts/list', ({ prompts }) => prompts, 'name'],
}

const head = ['kind', 'item', 'a guest is shown', 'a guest calls', 'a user is shown', 'a user calls']
const row = (...cells) => cells.map((cell, i) => cell.padEnd([10, 35, 22, 29, 15, 0][i])).join('').trimEnd()

// table is what a guest and then, by the same grant, a user gets in era: one line for each item.
async function table(url, era) {
  const inspector = await start(url, era)
  const mine = { address: `${era}@example.com`, draft: 'none', entry: 'none', tag: 'none', code: '000000' }
  const cells = new Map(calls.map(([kind, item]) => [item, [kind, item]]))
  for (const caller of ['guest', 'user']) {
    await shown(inspector, era, cells)
    for (const [kind, item, args, shows] of inOrder(caller)) {
      if (item === 'validate_token' && caller === 'guest') mine.code = await mailedCode(mine.address)
      const came = await inspector.call(kind, item, args(mine))
      cells.get(item).push(outcome(came, shows))
      if (item === 'save_draft') mine.draft = came.result?.structuredContent?.id ?? 'none'
      if (item === 'create_entry') mine.entry = came.result?.structuredContent?.id ?? 'none'
      if (item === 'create_tag') mine.tag = came.result?.structuredContent?.id ?? 'none'
    }
  }
  inspector.stop()
  expect(`${era}: the browser opened once`, inspector.opened() === 1, inspector.opened())
  return ['', `${era}:`, ...[...cells.values()].map((line) => row(...line))]
}

// inOrder has a guest sign in at last, and not sign out after that.
function inOrder(caller) {
  if (caller === 'user') return calls
  const logout = calls.filter(([, item]) => item === 'logout')
  return [...logout, ...calls.filter((call) => !logout.includes(call))]
}

// shown adds to each line how its item is listed, and wants a line for whatever is listed.
async function shown(inspector, era, cells) {
  const listed = new Map()
  for (const [method, of, name] of Object.values(lists)) {
    const { result, error } = await inspector.list(method)
    expect(`${era}: ${method} is answered`, !error, error)
    for (const item of of(result)) listed.set(item[name], item._meta?.['foyer/access'])
  }
  const without = [...listed.keys()].filter((name) => !cells.has(name))
  expect(`${era}: every item that is listed has a line in the table`, without.length === 0, without)
  for (const [name, line] of cells) {
    const access = listed.get(name)
    line.push(!listed.has(name) ? 'absent' : access ? `${access.state}: ${access.acquire}` : 'open')
  }
}

// The next steps that a refusal may name.
const steps = [
  [/\bcall authenticate\b/, 'authenticate'],
  [/\bopen its authorization page\b/, 'browser'],
  [/\bneeds another client\b/, 'another client'],
  [/\bopen http:\/\/127\.0\.0\.1:\d+\/account\//, 'page'],
]

// outcome is what comes of a call: "ok", or who says no, and the next step.
function outcome({ result, error, refused }, shows) {
  const text = JSON.stringify(result ?? '').replaceAll('\\"', '"')
  if (!error) return shows.test(text) ? 'ok' : 'something else'
  const http = refused.find(({ challenge }) => challenge)
  const words = http ? JSON.parse(http.body).error.message : result ? text : error.message
  const by = http ? `${http.status} ${/scope="([^"]*)"/.exec(http.challenge)?.[1]}` : result ? 'result' : `error ${error.code}`
  return `${by}: ${steps.find(([step]) => step.test(words))?.[1] ?? 'no next step'}`
}

// start starts a process of Inspector's, which connects as a new client.
async function start(url, era) {
  const place = join(folder, era)
  const program = join(installed.resolve('@modelcontextprotocol/inspector/package.json'), '..', 'clients/cli/build/index.js')
  const child = fork(join(import.meta.dirname, 'inspector-process.mjs'), [pathToFileURL(program).href], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: inspectorEnv(`${place}-opened`, `${place}-storage`),
  })
  const ended = new Promise((_, failed) => {
    child.on('error', failed)
    child.on('exit', (status, signal) => failed(new Error(`${era}: Inspector ended by itself: ${status ?? signal}`)))
  })
  ended.catch(() => {}) // heard by Promise.race, or of no interest any more
  const told = () => Promise.race([new Promise((done) => child.once('message', done)), ended])
  const output = `${place}-output`

  async function run(...args) {
    rmSync(output, { force: true })
    child.send({ args: [url, '--protocol-era', era, ...args], output })
    const came = await told()
    return { ...came, result: existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : undefined }
  }
  await told()
  const connected = await run('--callback-url', 'http://127.0.0.1:0/oauth/callback', '--method', 'tools/list')
  expect(`${era}: Inspector connects, by its own OAuth`, !connected.error, connected)
  return {
    list: (method) => run('--stored-auth-only', '--method', method),
    call: (kind, item, args) => run('--stored-auth-only', ...command(kind, item, args)),
    opened: () => timesOpened(`${place}-opened`),
    stop: () => child.disconnect(),
  }
}

function command(kind, item, args) {
  switch (kind) {
    case 'tool':
      return ['--method', 'tools/call', '--tool-name', item, '--tool-args-json', JSON.stringify(args)]
    case 'prompt':
      return ['--method', 'prompts/get', '--prompt-name', item, ...args.flatMap((arg) => ['--prompt-args', arg])]
    default:
      return ['--method', 'resources/read', '--uri', args]
  }
}

await play(
  async (url) => {
    const tables = await Promise.all(['legacy', 'modern'].map((era) => table(url, era)))
    const bad = tables.flat().filter((line) => /no next step|something else/.test(line))
    expect('every refusal names the next step, and every answer shows what it has to', bad.length === 0, bad)
    compare(join(import.meta.dirname, 'items.txt'), [row(...head), ...tables.flat()])
  },
  { seconds: 60 },
)
