// Inspector's command line in a process that runs many commands: loading it takes ten times as long as a command. It is
// what the program mcp-inspector imports and calls, once for each message: {args, output}.
const refused = [] // what the server refused by HTTP: of that, Inspector tells no more than that it was
const fetching = globalThis.fetch
globalThis.fetch = async (to, init) => {
  const came = await fetching(to, init)
  if (came.status >= 400) refused.push({ status: came.status, challenge: came.headers.get('www-authenticate'), body: await came.clone().text() })
  return came
}

const { runCli } = await import(process.argv[2])
process.on('message', async ({ args, output }) => {
  refused.length = 0
  const error = await runCli([process.execPath, 'mcp-inspector', ...args, '--output', output]).then(
    () => undefined,
    ({ message, code, exitCode }) => ({ message, code, exitCode }),
  )
  process.send({ error, refused })
})
process.send('ready')
