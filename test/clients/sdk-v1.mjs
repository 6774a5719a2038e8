#!/usr/bin/env node
// Plays the story with @modelcontextprotocol/sdk 1.x, in each version that it speaks.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/sdk-v1.mjs [foyer binary]
import { Browser, play } from './foyer.mjs'
import { Provider, v1 } from './sdk.mjs'
import { story } from './story.mjs'

const versions = ['2025-11-25', '2025-06-18', '2025-03-26']

await play(
  (url) =>
    Promise.all(
      versions.map((version) =>
        story(`sdk 1.x ${version}`, version, (name) => v1(url, { provider: new Provider(name, new Browser()), version })),
      ),
    ),
  { seconds: 120, flags: ['--access-ttl', '15s'] },
)
