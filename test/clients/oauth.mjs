// The whole OAuth story for any library that has a seat: a client that it has registered, and what it does as that.
import { Browser, expect, mailedCode } from './foyer.mjs'

const redirectUrl = 'http://127.0.0.1:33419/callback' // nobody listens: the Browser reads what it is led to
const resourceDocument = '/.well-known/oauth-protected-resource/mcp'
const elsewhere = 'http://127.0.0.1:1/mcp' // a resource of somebody else

// story plays all of it against the resource at url. seat(url, metadata, fetch) finds the authorization server, by the document
// that the library reads, and registers; whatever it sends goes through fetch.
export async function story(name, url, document, seat) {
  const said = (what) => `${name}: ${what}`
  const sent = [] // the paths that the library has asked for
  const me = await seat(url, { client_name: name, redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' }, (to, init) => {
    sent.push(new URL(to).pathname)
    return fetch(to, init)
  })
  const { origin } = new URL(url)
  const way = [resourceDocument, document, '/register']
  expect(said('it found the issuer by the documents of resource and server'), me.issuer === origin && sent.join() === way.join(), { me, sent })
  expect(said('it is registered, and has no secret'), /^client_/.test(me.client.client_id) && !me.client.client_secret, me.client)

  await wrongAnswers(me, said, sent, url)
  const tokens = await guest(me, said, url)
  const renewed = await refresh(me, said, url, await user(me, said, url, tokens, `${name}@example.com`))
  await end(me, said, url, renewed)
  await reusedCode(me, said, url)
  await reusedRefreshToken(me, said, url)
}

// answered opens the authorization URL in a browser of its own, and returns where that was led to.
async function answered(me, url, more = {}) {
  const asked = await me.ask({ redirect_uri: redirectUrl, resource: url, ...more })
  return { asked, callback: await new Browser().open(asked.url, redirectUrl) }
}

async function redeemed(me, url) {
  const { asked, callback } = await answered(me, url)
  return me.redeem(callback, asked, { resource: url })
}

// wrongAnswers are answers to an authorization request that a library must not act on: none reaches /token.
async function wrongAnswers(me, said, sent, url) {
  const { asked, callback } = await answered(me, url)
  expect(said('the answer names the issuer, once'), callback.searchParams.getAll('iss').join() === me.issuer, callback.href)
  expect(said('the answer has the state, once'), callback.searchParams.getAll('state').length === 1, callback.href)
  const changed = (name, value) => {
    const other = new URL(callback)
    if (value === undefined) other.searchParams.delete(name)
    else other.searchParams.set(name, value)
    return other
  }
  const before = sent.length
  for (const [what, answer, told] of [
    ['of another issuer', changed('iss', 'http://127.0.0.1:1'), /iss/],
    ['of the issuer with a slash', changed('iss', `${me.issuer}/`), /iss/],
    ['without an issuer, which the server has announced', changed('iss'), /iss/],
    ['with another state', changed('state', 'another'), /state/],
    ['without a state', changed('state'), /state/],
  ]) {
    const came = await refusal(me.redeem(answer, asked, { resource: url }))
    expect(said(`an answer ${what} is refused by the library`), told.test(came.words) && came.code === 'OAUTH_INVALID_RESPONSE', came)
  }
  for (const [what, more, error] of [
    ['for another resource', { resource: elsewhere }, 'invalid_target'],
    ['with a plain code challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for another type of response', { response_type: 'token' }, 'unsupported_response_type'],
  ]) {
    const no = await answered(me, url, more)
    const came = await refusal(me.redeem(no.callback, no.asked, { resource: url }))
    expect(said(`a request ${what} is answered ${error}, which the library believes`), came.error === error, came)
  }
  expect(said('nothing was sent to the server for any of these'), sent.length === before, sent.slice(before))
}

// guest gets the tokens of a guest, after what must not get them, and must not spoil the code either.
async function guest(me, said, url) {
  const { asked, callback } = await answered(me, url)
  const verifier = asked.verifier.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  let came = await refusal(me.redeem(callback, { ...asked, verifier }, { resource: url }))
  expect(said('a wrong verifier is refused'), came.status === 400 && came.error === 'invalid_grant', came)
  came = await refusal(me.redeem(callback, asked, { resource: elsewhere }))
  expect(said('another resource is refused'), came.status === 400 && came.error === 'invalid_target', came)

  const tokens = await me.redeem(callback, asked, { resource: url })
  const { access_token: access, refresh_token: refreshing, token_type: type, expires_in: seconds, scope } = tokens
  expect(said('the same code gives both tokens all the same'), /^fya_/.test(access) && /^fyr_/.test(refreshing), tokens)
  expect(said('type, end and scope are stated'), type === 'bearer' && seconds === 3600 && scope === 'guest', tokens)
  return tokens
}

async function user(me, said, url, tokens, address) {
  const call = (tool, args) => callTool(me, url, tokens.access_token, tool, args)
  let came = await call('whoami')
  expect(said('whoami says guest'), came.structuredContent?.status === 'guest', came)
  came = await call('list_entries')
  expect(said('list_entries is refused, and names authenticate'), came.isError && /\bauthenticate\b/.test(came.content[0].text), came)
  came = await refusal(call('export_journal'))
  const challenge = `${came.status} ${came.error} ${came.scope}`
  expect(said('the library reads the challenge of export_journal'), challenge === '403 insufficient_scope journal:export', came)
  came = await call('authenticate', { email: address })
  expect(said('authenticate mails a code'), !came.isError, came)
  came = await call('validate_token', { code: await mailedCode(address) })
  expect(said('validate_token signs in'), came.structuredContent?.status === 'signed_in', came)
  came = await call('list_entries')
  expect(said('the same call succeeds with the same token'), !came.isError && came.structuredContent?.total === 0, came)
  return tokens
}

async function refresh(me, said, url, tokens) {
  const other = await refusal(me.refresh(tokens.refresh_token, { resource: elsewhere }))
  expect(said('a refresh for another resource is refused'), other.status === 400 && other.error === 'invalid_target', other)
  const renewed = await me.refresh(tokens.refresh_token, { resource: url })
  const changed = renewed.access_token !== tokens.access_token && renewed.refresh_token !== tokens.refresh_token
  expect(said('a refresh gives two new tokens'), changed && /^fyr_/.test(renewed.refresh_token), renewed)
  expect(said('and states the scopes of a user'), renewed.scope === 'guest journal:write', renewed)
  const again = await me.refresh(tokens.refresh_token, { resource: url })
  const same = again.refresh_token === renewed.refresh_token && again.access_token === renewed.access_token
  expect(said('asked again at once, as by a second window, it gives the same two'), same, { renewed, again })
  const came = await callTool(me, url, renewed.access_token, 'whoami')
  expect(said('the new token is the same user'), came.structuredContent?.status === 'signed_in', came)
  return renewed
}

async function end(me, said, url, tokens) {
  let came = await refusal(me.revoke(tokens.refresh_token))
  expect(said('the refresh token is revoked'), 'value' in came, came)
  await ended(me, said, url, tokens, 'revocation')
  came = await refusal(me.revoke(tokens.refresh_token))
  expect(said('revoking what is gone is no error'), 'value' in came, came)
}

async function reusedCode(me, said, url) {
  const { asked, callback } = await answered(me, url)
  const tokens = await me.redeem(callback, asked, { resource: url })
  const came = await refusal(me.redeem(callback, asked, { resource: url }))
  expect(said('a code is refused the second time'), came.status === 400 && came.error === 'invalid_grant', came)
  await ended(me, said, url, tokens, 'a second use of the code')
}

async function reusedRefreshToken(me, said, url) {
  const first = await redeemed(me, url)
  const second = await me.refresh(first.refresh_token, { resource: url })
  const third = await me.refresh(second.refresh_token, { resource: url })
  const came = await refusal(me.refresh(first.refresh_token, { resource: url }))
  expect(said('a refresh token is refused when its successor was used'), came.status === 400 && came.error === 'invalid_grant', came)
  await ended(me, said, url, third, 'reuse of a refresh token')
}

// ended expects that neither token is worth anything after what.
async function ended(me, said, url, tokens, what) {
  let came = await refusal(callTool(me, url, tokens.access_token, 'whoami'))
  const challenge = `${came.status} ${came.error} ${came.scope}`
  expect(said(`after ${what} the access token is challenged`), challenge === '401 invalid_token guest', came)
  expect(said(`after ${what} the challenge leads to the resource's document`), came.document === new URL(resourceDocument, url).href, came)
  came = await refusal(me.refresh(tokens.refresh_token, { resource: url }))
  expect(said(`after ${what} the refresh token is refused`), came.status === 400 && came.error === 'invalid_grant', came)
}

// callTool calls a tool as 2026-07-28 does, with one request of the library's.
async function callTool(me, url, token, name, args = {}) {
  const version = '2026-07-28'
  const headers = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': version,
    'mcp-method': 'tools/call',
    'mcp-name': name,
  }
  const _meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta } })
  const { result } = await (await me.fetch(token, new URL(url), headers, body)).json()
  return result
}

// refusal is what an error of either library says: they share their classes. Where there is none, it has the value.
async function refusal(promise) {
  const { value, error } = await promise.then((value) => ({ value }), (error) => ({ error }))
  if (!error) return { value }
  const words = `${error.message} ${error.cause?.message}`
  switch (error.name) {
    case 'WWWAuthenticateChallengeError': {
      const { scope, error: code, resource_metadata: document } = error.cause[0].parameters
      return { status: error.status, error: code, scope, document, words }
    }
    case 'ResponseBodyError':
    case 'AuthorizationResponseError':
      return { status: error.status, error: error.error, words }
  }
  return { code: error.code, words }
}
