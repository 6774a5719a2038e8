#!/usr/bin/env node
// What becomes of clients that come back: with what they have stored, with tokens that two of them share, with tokens and
// registrations that are not good any more, and with a session of somebody else's.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/reconnect.mjs [foyer binary]
import { Browser, expect, play } from './foyer.mjs'
import { Provider, isModern, status, v1, v2 } from './sdk.mjs'
import { signIn } from './story.mjs'

const clients = [
  ['sdk 1.x', v1, '2025-11-25'],
  ['client 2.x', v2, '2026-07-28'],
  ['client 2.x', v2, '2025-11-25'],
]

async function comesBack(url, [client, connect, version]) {
  const name = `${client} ${version}`
  const said = (what) => `${name}: ${what}`
  const browser = new Browser()
  const open = (provider, sessionId) => connect(url, { provider, version, sessionId })
  const opened = (times, what) => expect(said(what), browser.opened === times, { opened: browser.opened, pages: browser.pages })

  const me = await open(new Provider(name, browser))
  await signIn(me, said, `${name.replace(/\W+/g, '-')}-returns@example.com`)
  if (!isModern(version)) await ownSession(url, me, open, said)
  await me.close()

  const again = await open(me.provider.copy())
  await works(again, said('after a restart, the stored tokens still serve'))
  opened(1, 'no browser opened for that')
  await again.close()

  await twins(open, me.provider, said)
  opened(1, 'no browser opened for that either')

  const bad = me.provider.copy()
  bad.saveTokens({ ...bad.stored, access_token: spoilt(bad.stored.access_token) })
  const mended = await open(bad)
  await works(mended, said('a bad access token is refreshed'))
  await mended.close()
  opened(1, 'and no browser opens')

  spoil(bad)
  const registered = bad.client.client_id
  const guest = await open(bad)
  await isGuest(guest, said('bad tokens lead through the flow, to a guest'))
  opened(2, 'the browser opens once more')
  expect(said('a page asks before the user of this browser becomes a guest'), browser.pages.length === 1, browser.pages)
  expect(said('the client has not registered again'), bad.client.client_id === registered, bad.client)

  spoil(bad)
  const came = await guest.signingIn(() => whoami(guest)).catch((error) => error)
  if (isModern(version)) expect(said('so do tokens that go bad later'), came.structuredContent?.status === 'guest', came)
  else expect(said('tokens that go bad later lead to a new grant, which has no part in the old session'), /404|Initialize again/.test(came.message), came)
  await guest.close()
  const last = await open(bad)
  await isGuest(last, said('to connect again mends that'))
  opened(3, 'and the browser opened once for it')
  expect(said('without a page: a guest has nothing to lose'), browser.pages.length === 1, browser.pages)
  await last.close()

  await forgotten(open, new Provider(`${name} forgotten`, new Browser()), said)
}

const list = (seat) => seat.client.callTool({ name: 'list_entries', arguments: {} })

async function works(seat, what) {
  const came = await list(seat)
  expect(what, !came.isError && came.structuredContent?.total === 0, came)
}

const whoami = (seat) => seat.client.callTool({ name: 'whoami', arguments: {} })

async function isGuest(seat, what) {
  const came = await whoami(seat)
  expect(what, came.structuredContent?.status === 'guest', came)
}

// spoil makes what is stored of no use.
function spoil(provider) {
  const { stored } = provider
  provider.saveTokens({ ...stored, access_token: spoilt(stored.access_token), refresh_token: spoilt(stored.refresh_token) })
}

const spoilt = (secret) => secret.slice(0, -4) + 'gone'

// twins are two processes that have the same stored tokens, and find out at once that the access token has ended.
async function twins(open, provider, said) {
  const seats = []
  for (const copy of [provider.copy(), provider.copy()]) {
    seats.push(await open(copy))
    copy.saveTokens({ ...copy.stored, access_token: spoilt(copy.stored.access_token) })
  }
  await Promise.all(seats.map((seat, i) => works(seat, said(`twin ${i + 1} refreshes, and goes on`))))
  const [one, two] = seats.map((seat) => seat.provider.stored)
  expect(said('both were given the same tokens'), one.access_token === two.access_token && one.refresh_token === two.refresh_token, [one, two])
  await Promise.all(seats.map((seat, i) => works(seat, said(`twin ${i + 1} goes on after that`))))
  await Promise.all(seats.map((seat) => seat.close()))
  provider.saveTokens(one)
}

// forgotten is a client whose registration the server does not know any more.
async function forgotten(open, provider, said) {
  await (await open(provider)).close()
  const lost = { ...provider.client, client_id: spoilt(provider.client.client_id) }
  provider.saveClientInformation(lost)
  provider.saveTokens({ ...provider.stored, access_token: spoilt(provider.stored.access_token) })
  const back = await open(provider)
  await isGuest(back, said('a client that the server has forgotten comes back'))
  expect(said('it has registered again'), provider.client.client_id !== lost.client_id, provider.client)
  expect(said('with one more opening of the browser, and no page'), provider.browser.opened === 2 && provider.browser.pages.length === 0, provider.browser)
  await back.close()

  provider.saveClientInformation(lost)
  provider.invalidateCredentials('tokens')
  const stuck = await open(provider).catch((error) => error)
  expect(said('without tokens it cannot know, and a page tells the person'), /The app has to register again/.test(stuck.message), stuck)
}

// ownSession expects that a session is its grant's: another grant finds nothing under its id, and harms nothing.
async function ownSession(url, me, open, said) {
  const id = me.sessionId()
  const other = await open(new Provider(me.provider.name, new Browser()))
  expect(said('another grant has a session of its own'), other.sessionId() && other.sessionId() !== id, other.sessionId())
  for (const method of ['POST', 'GET', 'DELETE']) {
    const came = await status(url, method, { token: other.token(), sessionId: id, version: me.version })
    expect(said(`a session of another grant is refused: ${method}`), came >= 400 && came < 500, came)
  }
  const intruder = await open(other.provider, id)
  const came = await list(intruder).catch((error) => error)
  expect(said('also where a client tries it by itself'), came instanceof Error, came)
  await works(me, said('the session goes on after that'))
  const resumed = await open(me.provider, id)
  await works(resumed, said('its own grant may come back to it'))
  await Promise.all([other.close(), intruder.close(), resumed.close()])
}

await play((url) => Promise.all(clients.map((client) => comesBack(url, client))), { seconds: 120 })
