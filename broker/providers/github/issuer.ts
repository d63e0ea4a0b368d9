/**
 * Whether an issuer's jobs run at the GitHub that an API belongs to, so that both know the same ids. GitHub's "OpenID Connect
 * reference" names the issuers: `token.actions.githubusercontent.com`, `token.actions.NAME.ghe.com`, and on GitHub
 * Enterprise Server the server's own host. An issuer's path is an enterprise's, or the server's.
 */
export function isIssuerBeside(apiUrl: string, issuerUrl: string): boolean {
  const [api, issuer] = [new URL(apiUrl).hostname, new URL(issuerUrl).hostname]
  if (api === "api.github.com") return issuer === "token.actions.githubusercontent.com"
  const [, name] = /^api\.([a-z0-9-]+)\.ghe\.com$/.exec(api) ?? []
  return issuer === (name === undefined ? api : `token.actions.${name}.ghe.com`)
}
