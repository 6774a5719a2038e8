// The two SDKs of TypeScript as clients: @modelcontextprotocol/sdk (1.x) and @modelcontextprotocol/client (2.x). A seat is
// a connected client and what the scripts ask about it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { installed, within } from './foyer.mjs'

// A Provider is what a host application writes: it keeps what the SDK hands it, and opens the person's browser.
export class Provider {
  redirectUrl = 'http://127.0.0.1:33418/callback'
  #state

  constructor(name, browser) {
    this.name = name
    this.browser = browser
  }

  // copy is the provider of another process, which reads the same store.
  copy() {
    return Object.assign(new Provider(this.name, this.browser), structuredClone({ client: this.client, stored: this.stored, saved: this.saved }))
  }

  get clientMetadata() {
    return {
      client_name: this.name,
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }

  state() {
    return (this.#state = randomUUID())
  }

  async redirectToAuthorization(url) {
    this.callback = await this.browser.open(url, this.redirectUrl)
    if (this.callback.searchParams.get('state') !== this.#state) throw new Error(`another state: ${this.callback}`)
  }

  clientInformation() {
    return this.client
  }

  saveClientInformation(client) {
    this.client = client
  }

  tokens() {
    return this.stored
  }

  saveTokens(tokens) {
    this.stored = tokens
    this.saved = Date.now()
  }

  codeVerifier() {
    return this.verifier
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier
  }

  discoveryState() {
    return this.discovered
  }

  saveDiscoveryState(state) {
    this.discovered = state
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'discovery') this.discovered = undefined
    if (scope === 'all' || scope === 'client') this.client = undefined
    if (scope === 'all' || scope === 'tokens') this.stored = undefined
    if (scope === 'all' || scope === 'verifier') this.verifier = undefined
  }
}

// v1 connects SDK 1.x. It always asks for its newest version; the one to negotiate is written into what it sends.
export async function v1(url, { provider, version, sessionId }) {
  const { Client } = installed('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = installed('@modelcontextprotocol/sdk/client/streamableHttp.js')
  class Transport extends StreamableHTTPClientTransport {
    send(message, options) {
      const sent = message.method === 'initialize' ? { ...message, params: { ...message.params, protocolVersion: version } } : message
      return super.send(sent, options)
    }
  }
  return seated({
    url,
    provider,
    dial: () => {
      const transport = new Transport(new URL(url), { authProvider: provider, sessionId })
      if (sessionId) transport.setProtocolVersion(version) // there will be no initialize to learn it from
      return transport
    },
    finish: (transport) => transport.finishAuth(provider.callback.searchParams.get('code')),
    client: (heard) => new Client({ name: provider.name, version: '1' }, listening(heard)),
    negotiated: (_, transport) => transport.protocolVersion,
  })
}

// v2 connects SDK 2.x, which pins a version without initialize and offers an older one first where it is the only one.
export async function v2(url, { provider, version, sessionId }) {
  const { Client, StreamableHTTPClientTransport } = installed('@modelcontextprotocol/client')
  const versions = isModern(version) ? { versionNegotiation: { mode: { pin: version } } } : { supportedProtocolVersions: [version] }
  return seated({
    url,
    provider,
    dial: () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider, sessionId, protocolVersion: sessionId && version }),
    finish: (transport) => transport.finishAuth(provider.callback.searchParams),
    client: (heard) => new Client({ name: provider.name, version: '1' }, { ...listening(heard), ...versions }),
    negotiated: (client) => client.getNegotiatedProtocolVersion(),
  })
}

export const isModern = (version) => version >= '2026'

// expire waits until the access token has ended. Where a stream ended with it, the SDK connects that again, and refreshes
// for it; a call at the same moment would refresh too, and one of the two could come after what the call changes.
async function expire(provider, { sessionId }) {
  const { access_token: ended, expires_in: seconds } = provider.stored
  await sleep(provider.saved + (seconds + 1) * 1000 - Date.now())
  if (sessionId) await within(20, 'the SDK refreshes for its stream', () => provider.stored?.access_token !== ended)
}

// status is what a request without any SDK is answered with.
export async function status(url, method, { token, sessionId, version }) {
  const came = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': version,
    },
    body: method === 'POST' ? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) : undefined,
  })
  await came.body?.cancel()
  return came.status
}

// listening are the options of a client that counts the changes of the list of tools.
export const listening = (heard) => ({
  listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => heard.push(Date.now()) } },
})

async function seated({ url, provider, dial, finish, client: make, negotiated }) {
  const heard = [] // when notifications/tools/list_changed came
  const client = make(heard)
  let transport = dial()
  // signingIn does again what the SDK gave up because it has sent the person to the browser.
  const signingIn = async (attempt, again = attempt) => {
    try {
      return await attempt()
    } catch (error) {
      if (error.constructor.name !== 'UnauthorizedError') throw error
      await finish(transport)
      return again()
    }
  }
  await signingIn(
    () => client.connect(transport),
    () => client.connect((transport = dial())),
  )
  return {
    client,
    signingIn,
    version: negotiated(client, transport),
    provider,
    heard,
    token: () => provider.stored?.access_token,
    scope: () => provider.stored?.scope,
    opened: () => provider.browser.opened,
    pages: () => provider.browser.pages,
    sessionId: () => transport.sessionId,
    terminate: () => transport.terminateSession(),
    statusOf: (sessionId) => status(url, 'POST', { token: provider.stored.access_token, sessionId, version: negotiated(client, transport) }),
    expire: () => expire(provider, transport),
    close: () => client.close(),
  }
}
