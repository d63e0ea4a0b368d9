# The Azure side of a Daypass grant: an application, trust in the broker for one grant of one environment
# or for a few, and a role.
# Explained in broker/providers/azure/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = ">= 3.0"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
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

variable "subjects" {
  description = "The sub of the identity token of each grant that this is for, as daypass explain prints it"
  type        = set(string)

  validation {
    condition     = length(var.subjects) > 0 && length(var.subjects) <= 20 && alltrue([for one in var.subjects : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 600])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, with at most 600 characters, and an application has at most 20 of them."
  }
}

variable "name" {
  description = "The application's name"
  type        = string
}

variable "audience" {
  description = "The connection's audience. A sovereign cloud has another one"
  type        = string
  default     = "api://AzureADTokenExchange"
}

variable "role" {
  description = "The role that the grant is for"
  type        = string
}

variable "scope" {
  description = "The scope of the role: the id of a resource, a resource group or a subscription"
  type        = string
}

resource "azuread_application" "grant" {
  display_name = var.name
}

resource "azuread_service_principal" "grant" {
  client_id = azuread_application.grant.client_id
}

# One for each grant. Issuer, subject and audience must be exactly those of the broker's token, also in upper and lower case.
resource "azuread_application_federated_identity_credential" "daypass" {
  for_each = var.subjects

  application_id = azuread_application.grant.id
  display_name   = "daypass-${substr(sha256(each.value), 0, 16)}"
  issuer         = var.broker_url
  subject        = each.value
  audiences      = [var.audience]
}

resource "azurerm_role_assignment" "grant" {
  scope                = var.scope
  role_definition_name = var.role
  principal_id         = azuread_service_principal.grant.object_id
}

output "client_id" {
  description = "Goes into the policy as client_id:, and into the connection's client_ids"
  value       = azuread_application.grant.client_id
}
