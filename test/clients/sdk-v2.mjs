#!/usr/bin/env node
// Plays the story with @modelcontextprotocol/client 2.x, in each version that it speaks.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/sdk-v2.mjs [foyer binary]
import { Browser, play } from './foyer.mjs'
import { Provider, v2 } from './sdk.mjs'
import { story } from './story.mjs'

const versions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']

await play(
  (url) =>
    Promise.all(
      versions.map((version) =>
        story(`client 2.x ${version}`, version, (name) => v2(url, { provider: new Provider(name, new Browser()), version })),
      ),
    ),
  { seconds: 120, flags: ['--access-ttl', '15s'] },
)
