#!/usr/bin/env node
// Plays the whole OAuth story with openid-client, which asks for the document of OpenID Connect Discovery.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/openid-client.mjs [foyer binary]
import { installed, play } from './foyer.mjs'
import { story } from './oauth.mjs'

const oauth = installed('openid-client')

async function seat(url, metadata, fetch) {
  // It knows nothing of resources: its host reads the resource's document.
  const { pathname, origin } = new URL(url)
  const resource = await (await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`)).json()
  const config = await oauth.dynamicClientRegistration(new URL(resource.authorization_servers[0]), metadata, undefined, {
    execute: [oauth.allowInsecureRequests],
    [oauth.customFetch]: fetch,
  })
  return {
    issuer: config.serverMetadata().issuer,
    client: config.clientMetadata(),
    async ask(parameters) {
      const asked = { state: oauth.randomState(), verifier: oauth.randomPKCECodeVerifier() }
      const url = oauth.buildAuthorizationUrl(config, {
        state: asked.state,
        code_challenge: await oauth.calculatePKCECodeChallenge(asked.verifier),
        code_challenge_method: 'S256',
        ...parameters,
      })
      return { ...asked, url }
    },
    redeem: async (callback, { state, verifier }, parameters) =>
      oauth.authorizationCodeGrant(config, callback, { expectedState: state, pkceCodeVerifier: verifier }, parameters),
    refresh: (token, parameters) => oauth.refreshTokenGrant(config, token, parameters),
    revoke: (token) => oauth.tokenRevocation(config, token),
    fetch: (token, to, headers, body) => oauth.fetchProtectedResource(config, token, to, 'POST', body, new Headers(headers)),
  }
}

await play((url) => story('openid-client', url, '/.well-known/openid-configuration', seat), { seconds: 60 })
