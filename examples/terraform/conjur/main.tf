# The Conjur side of a Daypass grant, in CyberArk's cloud: an authenticator, a host for one grant, and what it may read.
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

variable "subject" {
  description = "The sub of the grant's identity token, as daypass explain prints it"
  type        = string

  validation {
    condition     = can(regex("^repository:.+:environment:.+:grant:.+$", var.subject))
    error_message = "A subject is repository:OWNER/REPO:environment:NAME:grant:NAME."
  }
}

variable "name" {
  description = "The host's name: one for each grant"
  type        = string
}

variable "branch" {
  description = "An existing branch of Conjur's policy, for the host"
  type        = string
  default     = "data/daypass"
}

variable "variables" {
  description = "Names of the variables that the grant reads, per branch"
  type        = map(set(string))
  default     = {}
}

variable "safes" {
  description = "Safes that the grant reads completely"
  type        = set(string)
  default     = []
}

locals {
  reads = merge([for branch, names in var.variables : { for name in names : "${branch}/${name}" => { branch = branch, name = name } }]...)
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
  name   = var.name
  branch = var.branch
  authn_descriptors = [
    {
      type       = "jwt"
      service_id = conjur_authenticator.daypass.name
      # Without it, every grant of every repository that uses the broker could log in as this host.
      data = { sub = var.subject }
    }
  ]
}

resource "conjur_membership" "may_log_in" {
  group_id    = "conjur/authn-jwt/${conjur_authenticator.daypass.name}/apps"
  member_kind = "host"
  member_id   = "${conjur_host.grant.branch}/${conjur_host.grant.name}"
}

resource "conjur_permission" "reads" {
  for_each   = local.reads
  role       = { kind = "host", branch = conjur_host.grant.branch, name = conjur_host.grant.name }
  resource   = { kind = "variable", branch = each.value.branch, name = each.value.name }
  privileges = ["read", "execute"]
}

# The safe's group of consumers can read all its variables.
resource "conjur_membership" "safes" {
  for_each    = var.safes
  group_id    = "data/vault/${each.value}/delegation/consumers"
  member_kind = "host"
  member_id   = "${conjur_host.grant.branch}/${conjur_host.grant.name}"
}

output "host" {
  description = "Goes into the connection"
  value       = "${conjur_host.grant.branch}/${conjur_host.grant.name}"
}
