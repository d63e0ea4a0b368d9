/**
 * The page at `/`, for a person who opens the broker's address in a browser. It says nothing that the discovery document does
 * not say, and it needs no script and no style.
 *
 * `url` is put in as it is: a plain URL has no character with a meaning in HTML (`PLAIN_URL`).
 */
export const frontPage = (url: string, hasConsole: boolean): Response =>
  new Response(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Daypass</title>
</head>
<body>
<main>
<h1>Daypass</h1>
<p>This broker exchanges the identity token of a CI job for short-lived credentials, records it, and takes them back.</p>
<p>Its issuer is <code>${url}</code></p>
<ul>
<li><a href="/healthz">Health</a></li>
<li><a href="/.well-known/openid-configuration">Metadata for clouds that trust this issuer</a></li>
${hasConsole ? '<li><a href="/console">Console for operators</a></li>\n' : ""}<li><a href="https://github.com/daypass/daypass#readme">Documentation</a></li>
</ul>
</main>
</body>
</html>
`,
    {
      headers: {
        "content-type": "text/html; charset=utf-8",
        // Other clients get the JSON of an unknown path at the same address.
        vary: "accept",
        "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
      },
    },
  )

/** Whether a client asks for a page. The wildcard that curl and libraries send does not count. */
export const wantsPage = (accept: string | null): boolean => /(?:^|[\s,])text\/html(?:$|[\s,;])/i.test(accept ?? "")
