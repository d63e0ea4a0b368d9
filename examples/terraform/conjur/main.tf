# The Conjur side of a Daypass grant, in CyberArk's cloud: an authenticator, a host for each grant, and what they may
# read.
# Explained in broker/providers/conjur/README.md, which also has a Conjur policy for a self-hosted server.

terraform {
  required_version = ">= 1.5"
  required_providers {
    conjur = {
      source = "cyberark/conjur"
    }
  }
}

variable "broker_url" {
  description = "The broker's URL, exactly as in DAYPASS_URL: https, no slash at the end"
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#].*[^/]$", var.broker_url))
    error_message = "The URL starts with https:// and does not end with a slash."
  }
}

variable "audience" {
  description = "The connection's audience. Default in the connection: its url"
  type        = string
}

variable "subjects" {
  description = "By the name of its host: the sub of each grant's identity token, as daypass explain prints it"
  type        = map(string)

  validation {
    condition     = length(var.subjects) > 0 && alltrue([for one in values(var.subjects) : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one))])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars."
  }
}

variable "branch" {
  description = "An existing branch of Conjur's policy, for the hosts"
  type        = string
  default     = "data/daypass"
}

variable "variables" {
  description = "Names of the variables that the grants read, per branch"
  type        = map(set(string))
  default     = {}
}

variable "safes" {
  description = "Safes that the grants read completely"
  type        = set(string)
  default     = []
}

locals {
  reads = merge([
    for host in keys(var.subjects) : merge([
      for branch, names in var.variables :
      { for name in names : "${host}:${branch}/${name}" => { host = host, branch = branch, name = name } }
    ]...)
  ]...)

  safes = { for pair in setproduct(keys(var.subjects), var.safes) : join(":", pair) => { host = pair[0], safe = pair[1] } }
}

# One per account. It does not read the host from the token: the connection names the host.
resource "conjur_authenticator" "daypass" {
  type    = "jwt"
  name    = "daypass"
  enabled = true
  data = {
    issuer   = var.broker_url
    jwks_uri = "${var.broker_url}/.well-known/jwks.json"
    audience = var.audience
  }
}

resource "conjur_host" "grant" {
  for_each = var.subjects

  name   = each.key
  branch = var.branch
  authn_descriptors = [
    {
      type       = "jwt"
      service_id = conjur_authenticator.daypass.name
      # Without it, every grant of every repository that uses the broker could log in as this host.
      data = { sub = each.value }
    }
  ]
}

resource "conjur_membership" "may_log_in" {
  for_each = conjur_host.grant

  group_id    = "conjur/authn-jwt/${conjur_authenticator.daypass.name}/apps"
  member_kind = "host"
  member_id   = "${each.value.branch}/${each.value.name}"
}

resource "conjur_permission" "reads" {
  for_each = local.reads

  role       = { kind = "host", branch = var.branch, name = conjur_host.grant[each.value.host].name }
  resource   = { kind = "variable", branch = each.value.branch, name = each.value.name }
  privileges = ["read", "execute"]
}

# The safe's group of consumers can read all its variables.
resource "conjur_membership" "safes" {
  for_each = local.safes

  group_id    = "data/vault/${each.value.safe}/delegation/consumers"
  member_kind = "host"
  member_id   = "${var.branch}/${conjur_host.grant[each.value.host].name}"
}

output "hosts" {
  description = "By its name: each host, as it goes into a connection"
  value       = { for name, host in conjur_host.grant : name => "${host.branch}/${host.name}" }
}
