#!/usr/bin/env node
// Plays the whole OAuth story with oauth4webapi, from the resource's document to the revocation.
//
//   npm ci --prefix test/clients
//   PATH="$PWD/test/clients/node_modules/.bin:$PATH" node test/clients/oauth4webapi.mjs [foyer binary]
import { installed, play } from './foyer.mjs'
import { story } from './oauth.mjs'

const oauth = installed('oauth4webapi')

async function seat(url, metadata, fetch) {
  const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetch }
  const resource = await oauth
    .resourceDiscoveryRequest(new URL(url), options)
    .then((came) => oauth.processResourceDiscoveryResponse(new URL(url), came))
  const issuer = new URL(resource.authorization_servers[0])
  const server = await oauth
    .discoveryRequest(issuer, { ...options, algorithm: 'oauth2' })
    .then((came) => oauth.processDiscoveryResponse(issuer, came))
  const client = await oauth
    .dynamicClientRegistrationRequest(server, metadata, options)
    .then(oauth.processDynamicClientRegistrationResponse)
  const none = oauth.None()
  return {
    issuer: server.issuer,
    client,
    async ask(parameters) {
      const asked = { state: oauth.generateRandomState(), verifier: oauth.generateRandomCodeVerifier(), redirectUrl: parameters.redirect_uri }
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: client.client_id,
        state: asked.state,
        code_challenge: await oauth.calculatePKCECodeChallenge(asked.verifier),
        code_challenge_method: 'S256',
        ...parameters,
      })
      return { ...asked, url: new URL(`${server.authorization_endpoint}?${query}`) }
    },
    async redeem(callback, { state, verifier, redirectUrl }, additionalParameters) {
      const answer = oauth.validateAuthResponse(server, client, callback, state)
      const came = await oauth.authorizationCodeGrantRequest(server, client, none, answer, redirectUrl, verifier, { ...options, additionalParameters })
      return oauth.processAuthorizationCodeResponse(server, client, came)
    },
    async refresh(token, additionalParameters) {
      const came = await oauth.refreshTokenGrantRequest(server, client, none, token, { ...options, additionalParameters })
      return oauth.processRefreshTokenResponse(server, client, came)
    },
    revoke: async (token) => oauth.processRevocationResponse(await oauth.revocationRequest(server, client, none, token, options)),
    fetch: (token, to, headers, body) => oauth.protectedResourceRequest(token, 'POST', to, new Headers(headers), body, options),
  }
}

await play((url) => story('oauth4webapi', url, '/.well-known/oauth-authorization-server', seat), { seconds: 60 })
