const LOOPBACK_IPV4 = /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/

/**
 * True for an absolute https URL, and for an http URL whose host is this machine: 127.0.0.0/8, `[::1]` or `localhost`. URLs
 * with credentials are refused for any scheme.
 *
 * On plain http, an attacker on the network can forge an issuer's keys and read a provider's tokens. Loopback has no
 * network in between. The check uses the host as the URL parser normalised it, which is the host that is dialled:
 * `http://127.1/` is loopback, `http://127.0.0.1.example/` and `http://localhost.example/` are not.
 */
export function isHttpsOrLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const parsed = new URL(url)
  if (parsed.username !== "" || parsed.password !== "") return false
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname))
}

/**
 * Whether a host is this machine. `hostname` must have the form of `URL.hostname`: lower case, IPv4 in four decimal parts,
 * IPv6 compressed and in brackets.
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || LOOPBACK_IPV4.test(hostname)
}
