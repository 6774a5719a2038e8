// The story of the README and what follows it, for any client that has a seat (see sdk.mjs).
import { expect, mailedCode, within } from './foyer.mjs'
import { isModern } from './sdk.mjs'

// story plays all of it at a seat from open(name), whose client is to speak version.
export async function story(name, version, open) {
  const me = await open(name)
  const said = (what) => `${name}: ${what}`
  expect(said(`it speaks ${version}`), me.version === version, me.version)
  quiet(me, said, 'the browser opened once, and no page came')
  const token = me.token()
  expect(said('it holds an access token'), token, token)
  const bystander = await open(`${name}-bystander`)
  if (me.sessionId) hasSession(me, said)

  await guest(me, said)
  await signIn(me, said, `${name.replace(/\W+/g, '-')}@example.com`)
  await user(me, said)
  await hears(me, bystander, said)
  expect(said('one access token served from guest to user'), me.token() === token, { before: token, after: me.token() })
  quiet(me, said, 'the browser opened no more')

  await refresh(me, said)
  await signOut(me, said)
  quiet(me, said, 'the browser opened once in all of this')
  if (me.terminate) await ends(me, said)
  await me.close()
  await bystander.close()
}

function quiet(me, said, what) {
  expect(said(what), me.opened() === 1 && me.pages().length === 0, { opened: me.opened(), pages: me.pages() })
}

const call = (me, tool, args = {}) => me.client.callTool({ name: tool, arguments: args })

const text = (result) => result.content?.map((part) => part.text ?? '').join('\n') ?? ''

async function guest(me, said) {
  const { tools } = await me.client.listTools()
  const listed = (name) => tools.find((tool) => tool.name === name)
  const locked = listed('list_entries')?._meta?.['foyer/access']
  expect(said('a guest is shown writing_prompt, open'), listed('writing_prompt') && !listed('writing_prompt')._meta?.['foyer/access'], tools)
  expect(said('a guest is shown list_entries, locked'), locked?.state === 'locked' && locked.acquire.includes('authenticate'), tools)

  let came = await call(me, 'whoami')
  expect(said('whoami says guest'), came.structuredContent?.status === 'guest', came)
  came = await call(me, 'writing_prompt')
  expect(said('writing_prompt works'), !came.isError && text(came), came)
  came = await me.client.readResource({ uri: 'journal://credits' })
  expect(said('a public resource is read'), came.contents[0].text.includes('Epic Me'), came)
  came = await me.client.getPrompt({ name: 'first_entry' })
  expect(said('a public prompt is there'), came.messages[0].content.text.includes('writing_prompt'), came)

  await refused(me, said)
  came = await failure(me.client.readResource({ uri: 'journal://entries' }))
  expect(said('a locked resource is refused, and names authenticate'), /\bauthenticate\b/.test(came?.message), came)
  came = await failure(me.client.getPrompt({ name: 'reflect' }))
  expect(said('a locked prompt is refused, and names authenticate'), /\bauthenticate\b/.test(came?.message), came)
}

async function refused(me, said) {
  const came = await call(me, 'list_entries')
  expect(said("a guest's list_entries is refused, and names authenticate"), came.isError && /\bauthenticate\b/.test(text(came)), came)
}

const failure = (promise) =>
  promise.then(
    () => undefined,
    (error) => error,
  )

export async function signIn(me, said, address) {
  let came = await call(me, 'authenticate', { email: address })
  expect(said('authenticate mails a code'), !came.isError && came.structuredContent?.status === 'pending', came)
  came = await call(me, 'validate_token', { code: await mailedCode(address) })
  expect(said('validate_token signs in'), !came.isError && came.structuredContent?.status === 'signed_in', came)
}

async function user(me, said) {
  let came = await call(me, 'list_entries')
  expect(said('the same call succeeds'), !came.isError && came.structuredContent?.total === 0, came)

  const title = `The lighthouse of ${me.version}`
  came = await call(me, 'create_entry', { title, content: 'It blinked twice, and I blinked back.' })
  expect(said('create_entry writes'), !came.isError && came.structuredContent?.title === title, came)
  const { id } = came.structuredContent
  came = await call(me, 'list_entries')
  expect(said('list_entries shows it'), !came.isError && came.structuredContent.entries.some((entry) => entry.id === id), came)
  came = await me.client.readResource({ uri: `journal://entries/${id}` })
  expect(said('the entry is read as a resource'), JSON.parse(came.contents[0].text).title === title, came)
  came = await me.client.getPrompt({ name: 'reflect', arguments: { period: 'week' } })
  expect(said('the prompt reflect has the entry in it'), came.messages[0].content.text.includes(title), came)
  came = await call(me, 'whoami')
  expect(said('whoami says a user'), came.structuredContent?.status === 'signed_in' && came.structuredContent.as.endsWith('@example.com'), came)
  const { tools } = await me.client.listTools()
  expect(said('list_entries is listed open'), tools.some((tool) => tool.name === 'list_entries' && !tool._meta?.['foyer/access']), tools)
}

// refresh lets the access token end, and the client find that out.
async function refresh(me, said) {
  const before = me.token()
  await me.expire()
  const came = await call(me, 'list_entries')
  expect(said('a call after the end of the token succeeds'), !came.isError && came.structuredContent?.total === 1, came)
  expect(said('the client has refreshed'), me.token() && me.token() !== before, { before, after: me.token() })
  expect(said('the answer states the scopes of a user'), me.scope() === 'guest journal:write', me.scope())
}

async function signOut(me, said) {
  let came = await call(me, 'logout')
  expect(said('logout works'), !came.isError && came.structuredContent?.status === 'guest', came)
  await refused(me, said)
  came = await call(me, 'whoami')
  expect(said('whoami says guest again'), came.structuredContent?.status === 'guest', came)
}

function hasSession(me, said) {
  if (isModern(me.version)) expect(said('there is no session'), !me.sessionId(), me.sessionId())
  else expect(said('there is a session'), /^[\x21-\x7e]+$/.test(me.sessionId()), me.sessionId())
}

// hears expects that the claim was told once, on the streams of its own grant, and that the bystander's stream is alive.
async function hears(me, bystander, said) {
  await within(5, said('the claim is told by tools/list_changed'), () => me.heard.length > 0)
  expect(said('it is told once'), me.heard.length === 1, me.heard)
  expect(said('a client of another grant hears nothing'), bystander.heard.length === 0, bystander.heard)
  await signIn(bystander, (what) => said(`the bystander's ${what}`), `${said('').replace(/\W+/g, '-')}bystander@example.com`)
  await within(5, said("the bystander's claim is told to the bystander"), () => bystander.heard.length > 0)
  expect(said('and to nobody else'), bystander.heard.length === 1 && me.heard.length === 1, { bystander: bystander.heard, me: me.heard })
}

async function ends(me, said) {
  const id = me.sessionId()
  await me.terminate()
  if (isModern(me.version)) return
  expect(said('the session ends'), id && !me.sessionId(), { before: id, after: me.sessionId() })
  const came = await me.statusOf(id)
  expect(said('its id is not known any more'), came === 404, came)
}
