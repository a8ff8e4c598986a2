// SPDX-License-Identifier: Apache-2.0
#include "support/error.hpp"

#include <utility>

#include "support/secrets.hpp"

namespace ferry {

std::string Place::text() const {
  std::string out = file.string();
  if (line) out += (out.empty() ? "line " : ":") + std::to_string(*line);
  if (!path.empty()) out += (out.empty() ? "" : ": ") + path;
  return out;
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::malformed: return "malformed";
    case ErrorKind::missing: return "missing";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::encrypted: return "encrypted";
    case ErrorKind::unsafe: return "unsafe";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::no_space: return "no-space";
    case ErrorKind::unreachable: return "unreachable";
    case ErrorKind::libvirt: return "libvirt";
    case ErrorKind::subprocess: return "subprocess";
    case ErrorKind::io: return "io";
    case ErrorKind::verify: return "verify";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::malformed:
    case ErrorKind::missing:
    case ErrorKind::unsupported:
    case ErrorKind::encrypted:
    case ErrorKind::unsafe:
    case ErrorKind::conflict:
    case ErrorKind::no_space: return 3;
    case ErrorKind::unreachable:
    case ErrorKind::libvirt:
    case ErrorKind::subprocess:
    case ErrorKind::io:
    case ErrorKind::verify:
    case ErrorKind::cancelled:
    case ErrorKind::internal: return 1;
  }
  return 1;
}

namespace {

std::string compose(const ErrorDetail &detail) {
  std::string out = detail.where.text();
  if (!out.empty()) out += ": ";
  out += detail.message;
  if (!detail.found.empty()) out += "; found " + detail.found;
  if (!detail.expected.empty()) out += "; expected " + detail.expected;
  if (!detail.advice.empty()) out += ". " + detail.advice;
  return out;
}

// An address that a source names may hold a password.
ErrorDetail without_credentials(ErrorDetail detail) {
  detail.message = secrets::without_credentials(detail.message);
  detail.found = secrets::without_credentials(detail.found);
  return detail;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorDetail detail)
    : std::runtime_error(compose(without_credentials(detail))),
      kind_(kind),
      detail_(without_credentials(std::move(detail))) {}

}  // namespace ferry
