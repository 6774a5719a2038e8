package main

const inboxStyle = `
:root { color-scheme: light dark; --ink: #1d1f24; --soft: #5b616e; --line: #dcdfe5; --page: #f6f7f9; --card: #fff; --link: #1a56c4; --code: #eef3ff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceef2; --soft: #a4abb8; --line: #343943; --page: #14161a; --card: #1d2026; --link: #8ab4ff; --code: #222c42; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 2px; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0; font-size: 1.0625rem; line-height: 1.35; }
header p, .about { margin: 0; color: var(--soft); font-size: .875rem; }
.about:has(time) { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.lede { margin: .25rem 0 1.25rem; color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; }
.card { margin: 0 0 1rem; padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.empty { padding: 3rem 1.25rem; text-align: center; }
.empty p { margin: .5rem auto 0; max-width: 30rem; color: var(--soft); }
.code { display: block; margin: .75rem 0 0; padding: .5rem .75rem; border-radius: .5rem; background: var(--code); text-align: center; font: 700 clamp(1.75rem, 10vw, 2.5rem)/1.3 ui-monospace, monospace; letter-spacing: .12em; white-space: nowrap; user-select: all; -webkit-user-select: all; }
.hint { margin: .25rem 0 0; color: var(--soft); font-size: .8125rem; text-align: center; }
.back { margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 1rem 0; font-size: .875rem; }
dt { color: var(--soft); }
dd { margin: 0; }
pre { margin: .5rem 0 0; font: .9375rem/1.55 ui-monospace, monospace; white-space: pre-wrap; }
iframe { display: block; width: 100%; height: 20rem; margin: .75rem 0 .5rem; border: 1px solid var(--line); border-radius: .5rem; resize: vertical; }
@media (max-width: 30rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; } .card { padding: .875rem 1rem; } }
`

const inboxTemplates = `
{{define "head"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{style}}</style>
{{end}}

{{define "code"}}{{with .Code}}<code class="code">{{.}}</code>
<p class="hint">A click selects the whole code.</p>
{{end}}{{end}}

{{define "list"}}{{template "head"}}{{if not .Hold}}<meta http-equiv="refresh" content="5">
{{end}}<title>{{with .Mails}}({{len .}}) {{end}}Demo inbox</title>
</head>
<body>
<header>
<h1>Demo inbox</h1>
<p>{{if .Hold}}Paused. <a href="/dev/mail">Refresh by itself again</a>{{else}}Refreshes every 5 seconds. <a href="/dev/mail?hold">Pause</a>{{end}}</p>
</header>
<p class="lede">Mail to any address ends up here. Nothing leaves this machine.</p>
<main>
{{if .Mails}}<ul>
{{range .Mails}}<li class="card">
<h2><a href="{{.Path}}">{{or .Subject "(no subject)"}}</a></h2>
<p class="about"><span>To {{.Address}}</span> {{template "time" .}}</p>
{{template "code" .}}</li>
{{end}}</ul>
{{else}}<div class="card empty">
<h2>No mail yet</h2>
<p>Ask your assistant to sign in, with any address you like, for example jane@example.com. The mail with the code shows up here within seconds.</p>
</div>
{{end}}</main>
</body>
</html>
{{end}}

{{define "time"}}<time datetime="{{.Arrived.UTC.Format "2006-01-02T15:04:05Z"}}">{{with .Age}}{{.}}, {{end}}{{.Arrived.UTC.Format "2 Jan 2006 15:04"}} UTC</time>{{end}}

{{define "mail"}}{{template "head"}}<title>{{or .Subject "(no subject)"}} – Demo inbox</title>
</head>
<body>
<p class="back"><a href="/dev/mail">← Demo inbox</a></p>
<main>
<h1>{{or .Subject "(no subject)"}}</h1>
<p class="about"><span>To {{.Address}}</span> {{template "time" .}}</p>
{{template "code" .}}
<dl>
{{range .Headers}}{{if .Value}}<dt>{{.Name}}</dt><dd>{{.Value}}</dd>
{{end}}{{end}}<dt>File</dt><dd>{{.File}}</dd>
</dl>
<section class="card" aria-labelledby="text">
<h2 id="text">Text</h2>
<pre>{{.Text}}</pre>
</section>
{{if .HTML}}<section class="card" aria-labelledby="html">
<h2 id="html">HTML</h2>
<iframe src="{{.Path}}/html" sandbox="" referrerpolicy="no-referrer" title="The HTML part of the mail"></iframe>
<p class="about"><a href="{{.Path}}/html">Open it on a page of its own</a>, where its links work.</p>
</section>
{{end}}</main>
</body>
</html>
{{end}}

{{define "missing"}}{{template "head"}}<title>No such mail – Demo inbox</title>
</head>
<body>
<p class="back"><a href="/dev/mail">← Demo inbox</a></p>
<main>
<h1>No such mail</h1>
<p>There is no mail of that address and number.</p>
</main>
</body>
</html>
{{end}}
`
