# The Infisical side of a Daypass grant: a machine identity for each grant, and what they may read.
# Explained in broker/providers/infisical/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    infisical = {
      source = "infisical/infisical"
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
  default     = "https://app.infisical.com"
}

variable "subjects" {
  description = "By the name of its identity: the sub of each grant's identity token, as daypass explain prints it"
  type        = map(string)

  validation {
    condition     = length(var.subjects) > 0 && alltrue([for one in values(var.subjects) : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one))])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars."
  }
}

variable "name" {
  description = "The name of the role that the identities have"
  type        = string
}

variable "organisation_id" {
  description = "Infisical's organisation"
  type        = string
}

variable "project" {
  description = "Infisical's project: its id, and its slug"
  type        = object({ id = string, slug = string })
}

variable "reads" {
  description = "The folders that the grants read, each with its environment. / is the root without the folders below it"
  type        = list(object({ environment = string, folder = string }))

  validation {
    condition     = length(var.reads) > 0 && alltrue([for one in var.reads : startswith(one.folder, "/")])
    error_message = "Name a folder or more, each from the root: / or /payments."
  }
}

resource "infisical_identity" "daypass" {
  for_each = var.subjects

  name   = "daypass-${each.key}"
  role   = "no-access"
  org_id = var.organisation_id
}

resource "infisical_identity_oidc_auth" "daypass" {
  for_each = var.subjects

  identity_id        = infisical_identity.daypass[each.key].id
  oidc_discovery_url = var.broker_url
  bound_issuer       = var.broker_url
  bound_audiences    = [var.audience]

  # Without it, every grant of every repository that uses the broker could log in.
  bound_subject = each.value

  # The broker logs in again when a login has expired.
  access_token_ttl     = 900
  access_token_max_ttl = 900
}

resource "infisical_project_role" "daypass" {
  project_slug = var.project.slug
  name         = "daypass-${var.name}"
  slug         = "daypass-${var.name}"
  permissions = [
    for one in var.reads : {
      action  = "read"
      subject = "secrets"
      conditions = {
        environment = one.environment
        secret_path = one.folder
      }
    }
  ]
}

resource "infisical_project_identity" "daypass" {
  for_each = infisical_identity.daypass

  project_id  = var.project.id
  identity_id = each.value.id
  roles       = [{ role_slug = infisical_project_role.daypass.slug }]
}

output "identity_ids" {
  description = "By its name: the id of each identity, which goes into a connection"
  value       = { for name, identity in infisical_identity.daypass : name => identity.id }
}
