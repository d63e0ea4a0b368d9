# The AWS side of a Daypass grant: trust in the broker, and one role for one grant of one environment, or for a few.
# Explained in docs/get-started.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
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
    condition     = length(var.subjects) > 0 && alltrue([for one in var.subjects : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 255])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, and AWS takes at most 255 characters."
  }
}

variable "role_name" {
  description = "The role that the grant names"
  type        = string
}

variable "oidc_provider_arn" {
  description = "The ARN of the account's OIDC provider for the broker, if it exists: the output of another use of this module. An account has only one. Left out: this module creates it"
  type        = string
  default     = null
}

variable "audiences" {
  description = "Further audiences of the broker's tokens in this account, besides that of AWS STS, where this module creates the OIDC provider. Add daypass-aws-stores if the broker reads AWS's stores"
  type        = list(string)
  default     = []
}

data "aws_partition" "here" {}

locals {
  # The default of an aws connection: sts.amazonaws.com.cn in China, sts.amazonaws.eu in the European Sovereign Cloud.
  audience = "sts.${data.aws_partition.here.dns_suffix}"

  # IAM names the provider, and the keys of its conditions, by the URL without its scheme.
  broker = trimprefix(var.broker_url, "https://")

  oidc_provider_arn = var.oidc_provider_arn != null ? var.oidc_provider_arn : aws_iam_openid_connect_provider.daypass[0].arn
}

# One per account: a second use of this module names it with oidc_provider_arn. It needs no thumbprint: AWS checks the broker's certificate with the authorities that it trusts.
resource "aws_iam_openid_connect_provider" "daypass" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = var.broker_url
  client_id_list = distinct(concat([local.audience], var.audiences))
}

data "aws_iam_policy_document" "trust" {
  statement {
    # TagSession, because the broker sends the job's facts as session tags.
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.broker}:aud"
      values   = [local.audience]
    }

    # Without this condition, every grant of every repository that uses the broker could assume the role.
    condition {
      test     = "StringEquals"
      variable = "${local.broker}:sub"
      values   = var.subjects
    }
  }
}

resource "aws_iam_role" "grant" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json

  # The longest lifetime of a grant of this role, in seconds.
  max_session_duration = 3600
}

output "oidc_provider_arn" {
  description = "Goes into further uses of this module in the account as oidc_provider_arn"
  value       = local.oidc_provider_arn
}

output "role_arn" {
  description = "Goes into the policy as role:"
  value       = aws_iam_role.grant.arn
}
