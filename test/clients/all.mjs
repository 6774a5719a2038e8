#!/usr/bin/env node
// Runs every script of this folder in turn against `foyer demo`: real MCP clients, each of which does its own OAuth, and
// libraries that do nothing else.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/all.mjs [foyer binary]
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { built, folder } from './foyer.mjs'

const scripts = ['inspector', 'items', 'sdk-v1', 'sdk-v2', 'mcp-remote', 'reconnect', 'eras', 'oauth4webapi', 'openid-client']
const longest = 6 * 60_000 // milliseconds; the scripts have shorter limits of their own

const binary = process.argv[2] ?? built()
let checks = 0
const failed = []
for (const script of scripts) {
  const child = spawn(process.execPath, [join(import.meta.dirname, `${script}.mjs`), binary], { stdio: ['ignore', 'pipe', 'inherit'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), longest)
  const ended = new Promise((done) => child.on('error', done).on('close', (status, signal) => done(status ?? signal)))
  let passed = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ok  ')) passed++
    console.log(line)
  }
  const status = await ended
  clearTimeout(timer)
  checks += passed
  if (status !== 0 || passed === 0) failed.push(`${script}.mjs (${status})`)
}
rmSync(folder, { recursive: true, force: true })
console.log(`${checks} checks by ${scripts.length} scripts; failed: ${failed.join(', ') || 'none'}`)
process.exit(failed.length > 0 ? 1 : 0)
